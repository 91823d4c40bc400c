// SPDX-License-Identifier: Apache-2.0
/** WireGuard devices: in the kernel over generic netlink, or in userspace over the UAPI socket. */
@NullMarked
package io.culvert.wireguard.device;

import org.jspecify.annotations.NullMarked;
