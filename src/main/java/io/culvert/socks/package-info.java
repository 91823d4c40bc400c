// SPDX-License-Identifier: Apache-2.0
/** The SOCKS5 proxy, whose sessions leave by the tunnel. */
@NullMarked
package io.culvert.socks;

import org.jspecify.annotations.NullMarked;
