/** The SOCKS proxy that goes out by the tunnel. */
@NullMarked
package io.culvert.proxy;

import org.jspecify.annotations.NullMarked;
