// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.util.Map;

/** The client runs plain WireGuard; the LAN host reaches the proxy without a mesh. */
record WireGuardDemoMesh(Lab lab) implements DemoMesh {

    @Override
    public String title() {
        return "exit node for WireGuard clients";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of(
                "CULVERT_MESH",
                "wireguard",
                "CULVERT_MESH_CONFIG",
                lab.node().file("mesh0.conf", lab.client().nodeConfig()),
                // By default only private ranges are permitted; the lab uses documentation ranges.
                "CULVERT_SOCKS_ALLOW",
                "192.0.2.0/26");
    }

    @Override
    public String allowPackets(Observer observer) {
        observer.allowMesh();
        return "WireGuard to the client";
    }

    @Override
    public void useExitNode() {
        lab.client().useExitNode();
    }

    @Override
    public String resolverAddress() {
        return lab.provider().tunnelIpv4();
    }

    @Override
    public String proxyAddress() {
        return Lab.NODE_IPV4;
    }
}
