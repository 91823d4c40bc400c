// SPDX-License-Identifier: Apache-2.0
/** Netlink's wire format and sockets, without knowledge of what a request is for. */
@NullMarked
package io.culvert.netlink;

import org.jspecify.annotations.NullMarked;
