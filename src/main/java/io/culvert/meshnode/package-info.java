/** A mesh node on this machine, configured from a network file. */
@NullMarked
package io.culvert.meshnode;

import org.jspecify.annotations.NullMarked;
