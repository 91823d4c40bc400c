// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import io.culvert.linux.TestNamespace;
import io.culvert.linux.TestSocket;
import io.culvert.net.Family;
import io.culvert.net.Transport;
import io.culvert.nft.Nftables;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A node with an uplink to {@code outside}, and pairs of Ethernet links instead of the tunnel (to {@code provider}) and the mesh
 * (to {@code client}). Main routes everything through the uplink, as if all of Culvert's routing rules were lost: what the kill
 * switch lets out is seen outside. Only packets of exit-node clients are routed into the tunnel.
 */
final class KillSwitchLab implements AutoCloseable {

    private static final int MILLISECONDS = 5000;

    final TestNamespace node = new TestNamespace();
    final TestNamespace outside = new TestNamespace();
    final TestNamespace provider = new TestNamespace();
    final TestNamespace client = new TestNamespace();
    final Nftables nftables;

    KillSwitchLab() {
        node.connect("eth0", outside, "eth0");
        node.connect("wg0", provider, "wg0");
        node.connect("tailscale0", client, "tailscale0");
        addresses(node, "eth0", "192.0.2.1/24", "2001:db8:e::1/64");
        addresses(outside, "eth0", "192.0.2.2/24", "2001:db8:e::2/64");
        addresses(outside, "lo", "198.51.100.7/32", "203.0.113.7/32", "2001:db8:7::7/128");
        addresses(node, "wg0", "10.64.0.2/24", "fd00:64::2/64");
        addresses(provider, "wg0", "10.64.0.1/24", "fd00:64::1/64");
        addresses(provider, "lo", "198.51.100.9/32", "2001:db8:9::9/128");
        addresses(node, "tailscale0", "10.99.0.1/24", "fd99::1/64");
        addresses(client, "tailscale0", "10.99.0.2/24", "fd99::2/64");
        pointToPoint("wg0", provider, "10.64.0.2", "10.64.0.1", "fd00:64::2", "fd00:64::1");
        pointToPoint("tailscale0", client, "10.99.0.1", "10.99.0.2", "fd99::1", "fd99::2");
        route(node, "192.0.2.2", "2001:db8:e::2", "main");
        route(node, "10.64.0.1", "fd00:64::1", "100");
        route(client, "10.99.0.1", "fd99::1", "main");
        node.run("ip", "-4", "rule", "add", "iif", "tailscale0", "table", "100");
        node.run("ip", "-6", "rule", "add", "iif", "tailscale0", "table", "100");
        node.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
        nftables = node.inside(Nftables::open);
    }

    private static void addresses(TestNamespace namespace, String link, String... prefixes) {
        Arrays.stream(prefixes).forEach(prefix -> namespace.address(link, prefix));
    }

    private static void route(TestNamespace namespace, String gateway4, String gateway6, String table) {
        namespace.run("ip", "-4", "route", "add", "default", "via", gateway4, "table", table);
        namespace.run("ip", "-6", "route", "add", "default", "via", gateway6, "table", table);
    }

    /**
     * Sets the neighbours of a link: the real tunnel and mesh have neither ARP nor neighbour discovery, which the kill switch
     * blocks there.
     *
     * @param addresses of the node and of the other end, alternating
     */
    private void pointToPoint(String link, TestNamespace there, String... addresses) {
        node.run("ip", "link", "set", link, "address", "02:00:00:00:00:01");
        there.run("ip", "link", "set", link, "address", "02:00:00:00:00:02");
        for (int i = 0; i < addresses.length; i += 2) {
            neighbour(there, link, addresses[i], "02:00:00:00:00:01");
            neighbour(node, link, addresses[i + 1], "02:00:00:00:00:02");
        }
    }

    private static void neighbour(TestNamespace namespace, String link, String address, String at) {
        namespace.run("ip", "neighbour", "replace", address, "lladdr", at, "dev", link);
    }

    /** Returns a UDP socket that waits for packets. */
    static DatagramSocket listen(TestNamespace namespace, String address, int port) {
        return namespace.inside(() -> {
            DatagramSocket socket = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral(address), port));
            socket.setSoTimeout(MILLISECONDS);
            return socket;
        });
    }

    /** Receives the next packet and sends {@code reply} back. */
    static String receive(DatagramSocket socket, String reply) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[512], 512);
        socket.receive(packet);
        byte[] answer = reply.getBytes(StandardCharsets.UTF_8);
        socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8) + " from "
                + packet.getAddress().getHostAddress();
    }

    static TestSocket udp(TestNamespace namespace) {
        return namespace.inside(() -> new TestSocket(Family.IPV4, Transport.UDP));
    }

    static TestSocket udp6(TestNamespace namespace) {
        return namespace.inside(() -> new TestSocket(Family.IPV6, Transport.UDP));
    }

    static TestSocket tcp(TestNamespace namespace) {
        return namespace.inside(() -> new TestSocket(Family.IPV4, Transport.TCP));
    }

    /** Returns how many packets matched the rule with this comment. */
    long count(String comment) {
        Long count = nftables.counters(KillSwitchRuleset.TABLE).get(comment);
        if (count == null) {
            throw new IllegalArgumentException("no rule counts '" + comment + "'");
        }
        return count;
    }

    @Override
    public void close() {
        nftables.close();
        client.close();
        provider.close();
        outside.close();
        node.close();
    }
}
