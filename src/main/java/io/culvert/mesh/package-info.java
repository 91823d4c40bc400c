/** The mesh side of the chain: who uses this node as an exit. */
@NullMarked
package io.culvert.mesh;

import org.jspecify.annotations.NullMarked;
