/** A tunnel alone, from one file, on any machine: raised, shown, and taken down. */
@NullMarked
package io.culvert.tunnel;

import org.jspecify.annotations.NullMarked;
