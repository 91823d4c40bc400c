/** The liveness of the tunnel, derived from the counters of the WireGuard device. */
@NullMarked
package io.culvert.health;

import org.jspecify.annotations.NullMarked;
