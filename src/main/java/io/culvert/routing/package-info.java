// SPDX-License-Identifier: Apache-2.0
/** Builds the policy routing rules and routes of an exit node and of tunnels without a mesh. */
@NullMarked
package io.culvert.routing;

import org.jspecify.annotations.NullMarked;
