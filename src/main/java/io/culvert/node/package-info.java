/** A mesh node on this machine, configured from a network file. */
@NullMarked
package io.culvert.node;

import org.jspecify.annotations.NullMarked;
