/** Imports of other formats into network files. */
@NullMarked
package io.culvert.networkfile.imports;

import org.jspecify.annotations.NullMarked;
