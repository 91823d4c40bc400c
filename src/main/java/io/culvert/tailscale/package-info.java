// SPDX-License-Identifier: Apache-2.0
/** Tailscale as the mesh: runs its programs, follows the node's state and reports known errors. */
@NullMarked
package io.culvert.tailscale;

import org.jspecify.annotations.NullMarked;
