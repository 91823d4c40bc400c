/** Endpoint selection for peers with several endpoint candidates. */
@NullMarked
package io.culvert.roaming;

import org.jspecify.annotations.NullMarked;
