package io.culvert.network;

import io.culvert.ip.Prefix;

/** An address on an interface. IPv6 addresses are set without duplicate address detection, as wg-quick's are used at once. */
public record LinkAddress(String link, Prefix address) {}
