// SPDX-License-Identifier: Apache-2.0
/** A model of the path of packets through a network namespace, which is evaluated for one packet or for all at once. */
@NullMarked
package io.culvert.packetpath;

import org.jspecify.annotations.NullMarked;
