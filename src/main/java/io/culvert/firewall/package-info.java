// SPDX-License-Identifier: Apache-2.0
/** Builds the nftables rulesets: the kill switch, the forwarding policies and the firewall of a namespace. */
@NullMarked
package io.culvert.firewall;

import org.jspecify.annotations.NullMarked;
