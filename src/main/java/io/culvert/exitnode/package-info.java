/** The story from start to stop, one method a step; the tunnel alone. */
@NullMarked
package io.culvert.exitnode;

import org.jspecify.annotations.NullMarked;
