// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;

/** Where packets of the leak matrix come from. Each origin has destinations of its own, by which an observer recognises its packets. */
public enum TrafficOrigin {
    LOCAL(0, "local process"),
    SIBLING(1, "sibling without capabilities"),
    RAW_SIBLING(2, "sibling with NET_RAW"),
    PROXY_CLIENT(3, "proxy client"),
    WIREGUARD_CLIENT(4, "WireGuard client"),
    TAILSCALE_CLIENT(5, "Tailscale client");

    private static final int FIRST_PORT = 20000;
    private static final int FIRST_INTERNET_HOST = 100;
    private static final int FIRST_LAN_HOST = 40;

    private final int number;
    private final String title;

    /** @param number its place in the ranges of ports and addresses */
    TrafficOrigin(int number, String title) {
        this.number = number;
        this.title = title;
    }

    public String title() {
        return title;
    }

    /** Returns its label in DNS names and in the output of {@link ProbeAgent}. */
    String label() {
        return "o" + number;
    }

    /** Returns the port that its packets go to. */
    int port() {
        return FIRST_PORT + number;
    }

    /** Returns its destination in the internet. */
    String internet(Family family) {
        return (family == Family.IPV4 ? "198.51.100." : "2001:db8:1::") + (FIRST_INTERNET_HOST + number);
    }

    /** Returns its destination on the node's network. */
    String lan(Family family) {
        return (family == Family.IPV4 ? "192.0.2." : "2001:db8:e::") + (FIRST_LAN_HOST + number);
    }
}
