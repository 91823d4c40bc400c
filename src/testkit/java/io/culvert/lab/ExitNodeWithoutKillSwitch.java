// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.util.List;
import java.util.stream.Collectors;

/**
 * An exit node without Culvert: the client's packets leave by the node's uplink unencrypted, and the replies return. Tests use
 * it to verify that they detect such leaks.
 */
public final class ExitNodeWithoutKillSwitch implements AutoCloseable {

    private static final String LINK = "mesh0";

    private final Lab lab;
    private final WireGuardInterface mesh;

    ExitNodeWithoutKillSwitch(Lab lab) {
        this.lab = lab;
        LabNamespace node = lab.node().namespace();
        mesh = WireGuardInterface.up(
                node,
                LINK,
                lab.client()
                        .nodeConfig()
                        .lines()
                        .filter(line -> !line.startsWith("Address"))
                        .collect(Collectors.joining("\n")));
        node.ip("address add " + WireGuardClient.MESH_NODE_IPV4 + "/24 dev " + LINK, "link set " + LINK + " up");
        mesh.awaitUp();
        if (lab.options().ipv6()) {
            node.ip("address add " + WireGuardClient.MESH_NODE_IPV6 + "/64 dev " + LINK + " nodad");
        }
        returnRoutes("add");
        lab.client().useExitNode();
    }

    private void returnRoutes(String change) {
        for (String to : List.of(WireGuardClient.MESH_CLIENT_IPV4, WireGuardClient.MESH_CLIENT_IPV6)) {
            boolean v4 = to.equals(WireGuardClient.MESH_CLIENT_IPV4);
            lab.router().ip("route " + change + " " + to + " via " + (v4 ? Lab.NODE_IPV4 : Lab.NODE_IPV6));
            lab.internet()
                    .namespace()
                    .ip("route " + change + " " + to + " via " + (v4 ? "203.0.113.130" : "2001:db8:a::2"));
        }
    }

    @Override
    public void close() {
        lab.client().leaveExitNode();
        returnRoutes("delete");
        mesh.close();
    }
}
