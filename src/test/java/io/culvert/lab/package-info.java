/** A small internet of network namespaces, in which the program is shown, tested, attacked and measured. */
@NullMarked
package io.culvert.lab;

import org.jspecify.annotations.NullMarked;
