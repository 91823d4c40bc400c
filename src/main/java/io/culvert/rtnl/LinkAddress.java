// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Prefix;

/**
 * An address on an interface. IPv6 addresses are set without duplicate address detection, so that they can be used at
 * once, as by wg-quick.
 */
public record LinkAddress(String link, Prefix address) {}
