/** Peers that can be found in several places, and which place is used. */
@NullMarked
package io.culvert.migration;

import org.jspecify.annotations.NullMarked;
