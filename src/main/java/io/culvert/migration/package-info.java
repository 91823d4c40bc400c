/** Endpoint selection for peers with several endpoint candidates. */
@NullMarked
package io.culvert.migration;

import org.jspecify.annotations.NullMarked;
