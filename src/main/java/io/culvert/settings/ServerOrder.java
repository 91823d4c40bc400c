// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

/** The order in which the servers of several WireGuard files are used. */
public enum ServerOrder {
    /** By file name. */
    FILE,
    /** By the duration of a handshake, measured at the start with one after another. */
    LATENCY,
    /** In an order that differs by host name, so that not all replicas use the same server. */
    RANDOM
}
