/** Imports of other formats into network files. */
@NullMarked
package io.culvert.topology.imports;

import org.jspecify.annotations.NullMarked;
