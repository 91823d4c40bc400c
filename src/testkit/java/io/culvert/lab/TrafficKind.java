// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

/** The kinds of packets of the leak matrix. */
public enum TrafficKind {
    TCP("TCP"),
    UDP("UDP"),
    ICMP("ICMP"),
    DNS_BY_UDP("DNS by UDP"),
    DNS_BY_TCP("DNS by TCP"),
    GROUP("broadcast, multicast");

    private final String title;

    TrafficKind(String title) {
        this.title = title;
    }

    public String title() {
        return title;
    }
}
