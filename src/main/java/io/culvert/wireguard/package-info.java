/** WireGuard's keys and the wg-quick file format; pure. */
@NullMarked
package io.culvert.wireguard;

import org.jspecify.annotations.NullMarked;
