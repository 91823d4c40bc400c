/** The C library by JNA: sockets, namespaces, signals, processes. */
@NullMarked
package io.culvert.linux;

import org.jspecify.annotations.NullMarked;
