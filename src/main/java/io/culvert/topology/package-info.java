/** The network file: one description of a whole mesh, and what follows from it for each node. Pure. */
@NullMarked
package io.culvert.topology;

import org.jspecify.annotations.NullMarked;
