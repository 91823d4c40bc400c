/** What is shown of a running chain. */
@NullMarked
package io.culvert.status;

import org.jspecify.annotations.NullMarked;
