package io.culvert.lab;

import org.jspecify.annotations.Nullable;

/** A phone or laptop far from the node that can use it as its exit, over WireGuard. */
public final class Client implements AutoCloseable {

    /** The node's port for its mesh. */
    public static final int MESH_PORT = 51821;

    /** The node's addresses in the mesh. */
    public static final String MESH_NODE_4 = "10.77.0.1";

    public static final String MESH_NODE_6 = "fd00:77::1";

    /** The client's addresses in the mesh. */
    public static final String MESH_CLIENT_4 = "10.77.0.2";

    public static final String MESH_CLIENT_6 = "fd00:77::2";

    private final Namespace space;
    private final String link;
    private final String nodeKey = WireGuard.privateKey();
    private final String clientKey = WireGuard.privateKey();
    private @Nullable WireGuard tunnel;
    private String way = "";

    Client(Namespace space) {
        this.space = space;
        this.link = space.name().replace("-", "").replace("client", "c");
    }

    public Namespace space() {
        return space;
    }

    /** The file of the node's mesh interface, whose one peer is this client. */
    public String nodeFile() {
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
                        MESH_NODE_4,
                        MESH_NODE_6,
                        WireGuard.publicKey(clientKey),
                        MESH_CLIENT_4,
                        MESH_CLIENT_6);
    }

    /** The key of the node's mesh interface, for a file of its own. */
    public String nodeKey() {
        return nodeKey;
    }

    /** The same mesh as a network file: the node is {@code exit}, this client {@code phone}. */
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
                        WireGuard.publicKey(nodeKey),
                        nodeKeyFile,
                        MESH_PORT,
                        MESH_NODE_4,
                        MESH_NODE_6,
                        Lab.NODE_4,
                        WireGuard.publicKey(clientKey),
                        MESH_CLIENT_4,
                        MESH_CLIENT_6);
    }

    /** Sends everything to the node from now on, as a phone does with "use as exit node". */
    public void useExitNode() {
        useExitNode(Lab.NODE_4);
    }

    /** The same, by another of the node's addresses. */
    public void useExitNode(String address) {
        boolean ipv6 = address.contains(":");
        tunnel = WireGuard.up(space, link, """
                [Interface]
                PrivateKey = %s
                [Peer]
                PublicKey = %s
                AllowedIPs = 0.0.0.0/0, ::/0
                Endpoint = %s:%d
                """.formatted(
                        clientKey, WireGuard.publicKey(nodeKey), ipv6 ? "[" + address + "]" : address, MESH_PORT));
        way = address + (ipv6 ? "/128" : "/32");
        space.ip(
                "address add " + MESH_CLIENT_4 + "/32 dev " + link,
                "link set " + link + " mtu 1340 up",
                "route add " + way + " via " + (ipv6 ? "2001:db8:c::65" : "192.0.2.65"),
                "route add 0.0.0.0/1 dev " + link,
                "route add 128.0.0.0/1 dev " + link);
        space.ip(
                "address add " + MESH_CLIENT_6 + "/128 dev " + link + " nodad",
                "route add ::/1 dev " + link,
                "route add 8000::/1 dev " + link);
        tunnel.awaitUp();
    }

    /** Where its tunnel finds the node, as it was told or as the node was last received. */
    public String endpoint() {
        return space.run("wg", "show", link, "endpoints").strip().split("\\s+", -1)[1];
    }

    /** Goes its own way again. */
    public void leaveExitNode() {
        if (tunnel != null) {
            tunnel.close();
            tunnel = null;
            space.ip("route delete " + way);
        }
    }

    @Override
    public void close() {
        leaveExitNode();
    }
}
