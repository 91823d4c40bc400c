/** A node of a mesh, from one network file: raised, followed, and taken down. */
@NullMarked
package io.culvert.node;

import org.jspecify.annotations.NullMarked;
