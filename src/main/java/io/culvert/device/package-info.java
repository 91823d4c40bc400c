/** WireGuard devices: in the kernel, or a userspace program behind its UAPI socket. */
@NullMarked
package io.culvert.device;

import org.jspecify.annotations.NullMarked;
