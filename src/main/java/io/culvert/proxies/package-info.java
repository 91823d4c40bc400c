// SPDX-License-Identifier: Apache-2.0
/** The SOCKS5 proxy and the HTTP proxy, whose sessions leave by the tunnel. */
@NullMarked
package io.culvert.proxies;

import org.jspecify.annotations.NullMarked;
