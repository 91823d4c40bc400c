/** Network files made from what others keep their networks in. */
@NullMarked
package io.culvert.topology.imports;

import org.jspecify.annotations.NullMarked;
