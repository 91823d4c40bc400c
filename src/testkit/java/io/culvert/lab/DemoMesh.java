// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.util.Map;

/** The mesh through which the demonstration's client and LAN host reach the node. */
interface DemoMesh {

    /** Returns what the node is started as, in a few words. */
    String title();

    /** Returns the settings with which the node serves this mesh. */
    Map<String, String> settings();

    /** Declares the mesh's own packets on the uplink as allowed, and returns their name. */
    String allowPackets(Observer observer);

    /** Waits until the node is advertised as exit node, and makes the client use it. */
    void useExitNode();

    /** Returns the address of the client's DNS resolver. */
    String resolverAddress();

    /** Returns the address at which the LAN host reaches the node's SOCKS proxy. */
    String proxyAddress();
}
