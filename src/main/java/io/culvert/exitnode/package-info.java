/** The story of an exit node from start to stop. */
@NullMarked
package io.culvert.exitnode;

import org.jspecify.annotations.NullMarked;
