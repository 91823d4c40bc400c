// SPDX-License-Identifier: Apache-2.0
/** Reads, applies and reverts a desired state of links, addresses, routes and rules. */
@NullMarked
package io.culvert.rtnl;

import org.jspecify.annotations.NullMarked;
