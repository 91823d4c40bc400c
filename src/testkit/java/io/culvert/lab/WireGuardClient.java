// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import org.jspecify.annotations.Nullable;

/** A device on another network that can use the node as exit node, over WireGuard. */
public final class WireGuardClient implements AutoCloseable {

    /** The port of the node's mesh interface. */
    public static final int MESH_PORT = 51821;

    /** The node's addresses in the mesh. */
    public static final String MESH_NODE_IPV4 = "10.77.0.1";

    public static final String MESH_NODE_IPV6 = "fd00:77::1";

    /** The client's addresses in the mesh. */
    public static final String MESH_CLIENT_IPV4 = "10.77.0.2";

    public static final String MESH_CLIENT_IPV6 = "fd00:77::2";

    private final LabNamespace namespace;
    private final String link;
    private final String nodeKey = WireGuardInterface.privateKey();
    private final String clientKey = WireGuardInterface.privateKey();
    private @Nullable WireGuardInterface tunnel;
    private String nodeRoute = "";

    WireGuardClient(LabNamespace namespace) {
        this.namespace = namespace;
        this.link = namespace.name().replace("-", "").replace("client", "c");
    }

    public LabNamespace namespace() {
        return namespace;
    }

    /** Returns the configuration of the node's mesh interface, whose only peer is this client. */
    public String nodeConfig() {
        return """
                [Interface]
                PrivateKey = %s
                ListenPort = %d
                Address = %s/24, %s/64

                [Peer]
                PublicKey = %s
                AllowedIPs = %s/32, %s/128
                """.formatted(
                        nodeKey,
                        MESH_PORT,
                        MESH_NODE_IPV4,
                        MESH_NODE_IPV6,
                        WireGuardInterface.publicKey(clientKey),
                        MESH_CLIENT_IPV4,
                        MESH_CLIENT_IPV6);
    }

    /** Returns the private key of the node's mesh interface. */
    public String nodeKey() {
        return nodeKey;
    }

    /** Returns the same mesh as a network file: the node is {@code exit}, this client {@code phone}. */
    public String networkFile(String nodeKeyFile) {
        return """
                version: v1
                subnets: [{name: home}]
                peers:
                  - name: exit
                    exit: true
                    publicKey: %s
                    privateKeyFile: %s
                    subnets: {home: {listenPort: %d, ipAddresses: [%s, '%s']}}
                    endpoints: [{ip: %s}]
                  - name: phone
                    external: true
                    via: exit
                    publicKey: %s
                    subnets: {home: {ipAddresses: [%s, '%s']}}
                connections: [{a: [], b: []}]
                """.formatted(
                        WireGuardInterface.publicKey(nodeKey),
                        nodeKeyFile,
                        MESH_PORT,
                        MESH_NODE_IPV4,
                        MESH_NODE_IPV6,
                        Lab.NODE_IPV4,
                        WireGuardInterface.publicKey(clientKey),
                        MESH_CLIENT_IPV4,
                        MESH_CLIENT_IPV6);
    }

    /** Uses the node as exit node: routes all traffic to it. */
    public void useExitNode() {
        useExitNode(Lab.NODE_IPV4);
    }

    /** Uses the node as exit node, with another of its addresses as endpoint. */
    public void useExitNode(String address) {
        boolean ipv6 = address.contains(":");
        tunnel = WireGuardInterface.up(namespace, link, """
                [Interface]
                PrivateKey = %s
                [Peer]
                PublicKey = %s
                AllowedIPs = 0.0.0.0/0, ::/0
                Endpoint = %s:%d
                """.formatted(
                clientKey, WireGuardInterface.publicKey(nodeKey), ipv6 ? "[" + address + "]" : address, MESH_PORT));
        nodeRoute = address + (ipv6 ? "/128" : "/32");
        namespace.ip(
                "address add " + MESH_CLIENT_IPV4 + "/32 dev " + link,
                "link set " + link + " mtu 1340 up",
                "route add " + nodeRoute + " via " + (ipv6 ? "2001:db8:c::65" : "192.0.2.65"),
                "route add 0.0.0.0/1 dev " + link,
                "route add 128.0.0.0/1 dev " + link);
        namespace.ip(
                "address add " + MESH_CLIENT_IPV6 + "/128 dev " + link + " nodad",
                "route add ::/1 dev " + link,
                "route add 8000::/1 dev " + link);
        tunnel.awaitUp();
    }

    /** Returns the current endpoint of the node, which WireGuard updates with the source of the last packet. */
    public String endpoint() {
        return namespace.run("wg", "show", link, "endpoints").strip().split("\\s+", -1)[1];
    }

    /** Stops using the exit node. */
    public void leaveExitNode() {
        if (tunnel != null) {
            tunnel.close();
            tunnel = null;
            namespace.ip("route delete " + nodeRoute);
        }
    }

    @Override
    public void close() {
        leaveExitNode();
    }
}
