package io.culvert.lab;

import java.util.List;
import java.util.stream.Collectors;

/**
 * An exit node made by hand, with nobody who guards it: the client's packets go on by the node's uplink as they are, and
 * their answers come back. A test that hopes to see none of them first looks whether it can see them.
 */
public final class UnguardedExit implements AutoCloseable {

    private static final String LINK = "mesh0";

    private final Lab lab;
    private final WireGuard mesh;

    UnguardedExit(Lab lab) {
        this.lab = lab;
        Namespace node = lab.node().space();
        mesh = WireGuard.up(
                node,
                LINK,
                lab.client()
                        .nodeFile()
                        .lines()
                        .filter(line -> !line.startsWith("Address"))
                        .collect(Collectors.joining("\n")));
        node.ip("address add " + Client.MESH_NODE_4 + "/24 dev " + LINK, "link set " + LINK + " up");
        mesh.awaitUp();
        if (lab.shape().ipv6()) {
            node.ip("address add " + Client.MESH_NODE_6 + "/64 dev " + LINK + " nodad");
        }
        waysBack("add");
        lab.client().useExitNode();
    }

    private void waysBack(String change) {
        for (String to : List.of(Client.MESH_CLIENT_4, Client.MESH_CLIENT_6)) {
            boolean v4 = to.equals(Client.MESH_CLIENT_4);
            lab.router().ip("route " + change + " " + to + " via " + (v4 ? Lab.NODE_4 : Lab.NODE_6));
            lab.internet()
                    .space()
                    .ip("route " + change + " " + to + " via " + (v4 ? "203.0.113.130" : "2001:db8:a::2"));
        }
    }

    @Override
    public void close() {
        lab.client().leaveExitNode();
        waysBack("delete");
        mesh.close();
    }
}
