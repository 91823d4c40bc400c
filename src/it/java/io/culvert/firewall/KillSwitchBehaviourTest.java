// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.KillSwitchLab.listen;
import static io.culvert.firewall.KillSwitchLab.receive;
import static io.culvert.firewall.KillSwitchLab.tcp;
import static io.culvert.firewall.KillSwitchLab.udp;
import static io.culvert.firewall.KillSwitchLab.udp6;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.firewall.KillSwitchInput.Mesh;
import io.culvert.firewall.KillSwitchInput.Scope;
import io.culvert.firewall.KillSwitchInput.Tunnel;
import io.culvert.lab.NamespaceTest;
import io.culvert.linux.TestNamespace;
import io.culvert.linux.TestSocket;
import io.culvert.net.Bypass;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the kill switch's ruleset allows on a real kernel, without the routing rules. That a packet did not arrive is shown by the
 * next, allowed one being the first to arrive.
 */
@NamespaceTest
class KillSwitchBehaviourTest {

    private static final long OURS = Marks.DEFAULT.tunnel();
    private static final long TAILSCALE = Marks.TAILSCALE;
    private static final String REJECTED = "rejected on the uplink";

    private final KillSwitchLab lab = new KillSwitchLab();

    @AfterEach
    void close() {
        lab.close();
    }

    @Test
    void without_the_kill_switch_packets_leave() throws IOException {
        try (DatagramSocket fixture = listen(lab.outside, "198.51.100.7", 443);
                TestSocket socket = udp(lab.node)) {
            assertThat(socket.send("clear", "198.51.100.7", 443)).isZero();
            assertThat(receive(fixture, "ok")).isEqualTo("clear from 192.0.2.1");
        }
    }

    @Test
    void only_the_tunnels_packets_to_the_servers_port_leave() throws IOException {
        applyKillSwitch();
        try (DatagramSocket server = listen(lab.outside, "198.51.100.7", 51820);
                DatagramSocket other = listen(lab.outside, "198.51.100.7", 443)) {
            assertThat(send(lab.node, 0, "clear", "198.51.100.7", 443)).isNotZero();
            assertThat(send(lab.node, 0, "clear, to the server", "198.51.100.7", 51820))
                    .isNotZero();
            assertThat(send(lab.node, OURS, "marked, to another port", "198.51.100.7", 443))
                    .isNotZero();
            try (TestSocket socket = tcp(lab.node).mark(OURS)) {
                assertThat(socket.send("marked, by TCP", "198.51.100.7", 51820)).isEqualTo(113);
            }
            assertThat(lab.count(REJECTED)).isGreaterThanOrEqualTo(4);

            assertThat(send(lab.node, OURS, "marked, from another port", "198.51.100.7", 51820))
                    .isNotZero();
            try (TestSocket socket = tunnelSocket(Family.IPV4)) {
                assertThat(socket.send("marked, to another address", "203.0.113.7", 51820))
                        .isNotZero();
            }
            try (TestSocket socket = tunnelSocket(Family.IPV4)) {
                assertThat(socket.send("handshake", "198.51.100.7", 51820)).isZero();
                assertThat(receive(server, "answer")).isEqualTo("handshake from 192.0.2.1");
                assertThat(socket.receive()).isEqualTo("answer");
            }
            assertNothingReceived(other, 443);
        }
    }

    @Test
    void ipv6_is_blocked_as_well() throws IOException {
        applyKillSwitch();
        try (DatagramSocket server = listen(lab.outside, "2001:db8:7::7", 51820);
                TestSocket clear = udp6(lab.node);
                TestSocket stray = udp6(lab.node).mark(OURS);
                TestSocket marked = tunnelSocket(Family.IPV6)) {
            assertThat(clear.send("clear", "2001:db8:7::7", 51820)).isNotZero();
            assertThat(stray.send("from another port", "2001:db8:7::7", 51820)).isNotZero();
            assertThat(marked.send("handshake", "2001:db8:7::7", 51820)).isZero();
            assertThat(receive(server, "")).startsWith("handshake from 2001:db8:e:");
        }
    }

    @ParameterizedTest
    @CsvSource({"IPV4, 198.51.100.7, 192.0.2.1", "IPV6, 2001:db8:7::7, 2001:db8:e::1"})
    void only_the_tunnel_replies_from_its_port(Family family, String server, String node) throws IOException {
        applyKillSwitch();
        int port = KillSwitchExamples.PORT.getAsInt();
        try (TestSocket elsewhere = outsideSocket(family).from(server, 4000)) {
            try (TestSocket squatter = nodeSocket(family).from(family == Family.IPV4 ? "0.0.0.0" : "::", port)) {
                assertThat(elsewhere.send("to any socket on the port", node, port))
                        .isZero();
                assertThat(squatter.receive()).isEqualTo("to any socket on the port");
                assertThat(squatter.send("clear", server, 4000)).isNotZero();
            }
            try (TestSocket tunnel = tunnelSocket(family)) {
                assertThat(elsewhere.send("from elsewhere", node, port)).isZero();
                assertThat(tunnel.receive()).isEqualTo("from elsewhere");
                assertThat(tunnel.send("to there", server, 4000)).isZero();
                assertThat(elsewhere.receive()).isEqualTo("to there");
                assertThat(tunnel.send("to where nothing came from", server, 4001))
                        .isNotZero();
            }
        }
    }

    @Test
    void only_published_ports_reply() throws IOException {
        applyKillSwitch();
        try (DatagramSocket published = listen(lab.node, "192.0.2.1", 1080);
                DatagramSocket hidden = listen(lab.node, "192.0.2.1", 1081);
                TestSocket one = udp(lab.outside).from("198.51.100.7", 4000);
                TestSocket other = udp(lab.outside).from("198.51.100.7", 4001)) {
            other.send("to the hidden one", "192.0.2.1", 1081);
            one.send("to the published one", "192.0.2.1", 1080);

            assertThat(receive(published, "yes")).isEqualTo("to the published one from 198.51.100.7");
            assertThat(one.receive()).as("replies leave without a mark").isEqualTo("yes");
            assertThat(lab.count("nothing else from the uplink")).isEqualTo(1);
            assertNothingReceived(hidden, 1081);
        }
    }

    @Test
    void tunnel_addresses_are_unreachable_from_the_uplink() throws IOException {
        lab.outside.run("ip", "route", "add", "10.64.0.2/32", "via", "192.0.2.1");
        try (DatagramSocket service = listen(lab.node, "0.0.0.0", 1080);
                TestSocket sender = udp(lab.outside);
                TestSocket honest = udp(lab.outside)) {
            sender.send("before the kill switch", "10.64.0.2", 1080);
            assertThat(receive(service, "")).startsWith("before the kill switch");

            applyKillSwitch();
            sender.send("behind the kill switch", "10.64.0.2", 1080);
            honest.send("to the published port", "192.0.2.1", 1080);

            assertThat(receive(service, "")).startsWith("to the published port");
            assertThat(lab.count("anti-spoofing: to the address of the tunnel from another link, IPv4"))
                    .isEqualTo(1);
        }
    }

    @Test
    void arp_requests_for_tunnel_addresses_are_not_answered() {
        lab.outside.run("ip", "route", "add", "10.64.0.2/32", "dev", "eth0");
        lab.outside.run("sh", "-c", "echo 50 > /proc/sys/net/ipv4/neigh/eth0/retrans_time_ms");
        assertThat(neighbourState("10.64.0.2")).contains("lladdr");
        lab.outside.run("ip", "neighbour", "flush", "all");

        applyKillSwitch();

        assertThat(neighbourState("10.64.0.2")).contains("FAILED");
        assertThat(neighbourState("192.0.2.1")).contains("lladdr");
    }

    @Test
    void local_dns_queries_are_redirected_to_the_dns_stub() throws IOException {
        applyKillSwitch();
        try (DatagramSocket stub = listen(lab.node, "127.0.0.1", 5353);
                DatagramSocket lan = listen(lab.outside, "192.0.2.2", 53);
                TestSocket far = udp(lab.node);
                TestSocket near = udp(lab.node)) {
            assertThat(far.send("far", "198.51.100.7", 53)).isZero();
            assertThat(receive(stub, "name")).startsWith("far from");
            assertThat(far.receive()).as("as if the queried server had replied").isEqualTo("name");
            assertThat(near.send("near", "192.0.2.2", 53)).isZero();
            assertThat(receive(stub, "name")).startsWith("near from");

            assertThat(send(lab.node, OURS, "for the endpoint", "192.0.2.2", 53))
                    .isZero();
            assertThat(receive(lan, "")).isEqualTo("for the endpoint from 192.0.2.1");
        }
    }

    @Test
    void the_dns_stubs_queries_are_not_redirected_and_never_leave_through_the_uplink() throws IOException {
        applyKillSwitch();
        lab.node.run("ip", "route", "add", "198.51.100.9/32", "via", "10.64.0.1");
        try (DatagramSocket resolver = listen(lab.provider, "198.51.100.9", 53)) {
            assertThat(send(lab.node, Marks.DEFAULT.stub(), "by the tunnel", "198.51.100.9", 53))
                    .isZero();
            assertThat(receive(resolver, "")).isEqualTo("by the tunnel from 10.64.0.2");
            assertThat(send(lab.node, Marks.DEFAULT.stub(), "by the uplink", "192.0.2.2", 53))
                    .isNotZero();
        }
    }

    @Test
    void a_dns_query_bound_to_the_uplink_does_not_leave_through_it() throws IOException {
        applyKillSwitch();
        try (DatagramSocket stub = listen(lab.node, "127.0.0.1", 5353);
                TestSocket bound = udp(lab.node).link("eth0");
                TestSocket free = udp(lab.node)) {
            // Redirected to 127.0.0.1, but routed through the link that the socket is bound to.
            bound.send("bound", "198.51.100.7", 53);
            free.send("free", "198.51.100.7", 53);

            assertThat(receive(stub, "")).startsWith("free");
            assertThat(lab.count("rerouted to the uplink")).isEqualTo(1);
        }
    }

    @Test
    void packets_of_exit_node_clients_leave_through_the_tunnel_only_and_with_its_address() throws IOException {
        applyKillSwitch();
        try (DatagramSocket inTunnel = listen(lab.provider, "198.51.100.9", 443);
                DatagramSocket inTunnel6 = listen(lab.provider, "2001:db8:9::9", 443);
                DatagramSocket clientsService = listen(lab.client, "10.99.0.2", 8080);
                TestSocket exit = udp(lab.client);
                TestSocket exit6 = udp6(lab.client);
                TestSocket intruder = udp(lab.provider)) {
            assertThat(exit.send("out", "198.51.100.9", 443)).isZero();
            assertThat(receive(inTunnel, "back")).isEqualTo("out from 10.64.0.2");
            assertThat(exit.receive()).isEqualTo("back");
            assertThat(exit6.send("out", "2001:db8:9::9", 443)).isZero();
            assertThat(receive(inTunnel6, "back")).startsWith("out from fd00:64:");

            lab.provider.run("ip", "route", "add", "10.99.0.0/24", "via", "10.64.0.2");
            intruder.send("in", "10.99.0.2", 8080);
            intruder.send("in", "10.64.0.2", 1080);
            assertThat(lab.count("not forwarded")).isEqualTo(1);
            assertThat(lab.count("nothing else from the tunnel")).isEqualTo(1);
            assertNothingReceivedFromInside(clientsService, lab.client, "10.99.0.2", 8080);
        }
        lab.node.run("ip", "route", "flush", "table", "100");
        try (TestSocket exit = udp(lab.client)) {
            assertThat(exit.send("the tunnel is gone, main leads out", "198.51.100.7", 443))
                    .isZero();
            assertThat(exit.receive()).as("notified at once").isEqualTo("errno 113");
            assertThat(lab.count("rejected from the mesh")).isEqualTo(1);
        }
    }

    @Test
    void without_ipv6_in_the_tunnel_ipv6_packets_are_rejected_immediately() {
        lab.nftables.apply(KillSwitchRuleset.of(input(Set.of(Family.IPV4), List.of(), List.of())));
        try (TestSocket exit = udp6(lab.client);
                TestSocket local = udp6(lab.node).link("wg0")) {
            assertThat(exit.send("out", "2001:db8:9::9", 443)).isZero();
            assertThat(exit.receive()).as("EACCES").isEqualTo("errno 13");
            assertThat(local.send("out", "fd00:64::1", 443)).isNotZero();
        }
    }

    @Test
    void dns_queries_of_wireguard_mesh_clients_are_redirected_to_the_dns_stub() throws IOException {
        lab.nftables.apply(
                KillSwitchRuleset.of(input(Mesh.Kind.WIREGUARD, EnumSet.allOf(Family.class), List.of(), List.of())));
        try (DatagramSocket stub = listen(lab.node, "10.99.0.1", 5353);
                TestSocket phone = udp(lab.client)) {
            assertThat(phone.send("question", "10.99.0.1", 53)).isZero();
            assertThat(receive(stub, "name")).isEqualTo("question from 10.99.0.2");
            assertThat(phone.receive()).isEqualTo("name");
        }
    }

    @Test
    void an_allowed_lan_is_reachable_but_not_for_dns() throws IOException {
        lab.nftables.apply(KillSwitchRuleset.of(
                input(EnumSet.allOf(Family.class), List.of(Prefix.parse("192.0.2.0/24")), List.of())));
        try (DatagramSocket printer = listen(lab.outside, "192.0.2.2", 631);
                DatagramSocket service = listen(lab.node, "192.0.2.1", 8080);
                TestSocket neighbour = udp(lab.outside)) {
            assertThat(send(lab.node, 0, "print", "192.0.2.2", 631)).isZero();
            assertThat(receive(printer, "")).isEqualTo("print from 192.0.2.1");
            assertThat(send(lab.node, 0, "encrypted question", "192.0.2.2", 853))
                    .isNotZero();
            assertThat(send(lab.node, 0, "farther", "198.51.100.7", 631)).isNotZero();
            assertThat(neighbour.send("hello", "192.0.2.1", 8080)).isZero();
            assertThat(receive(service, "")).isEqualTo("hello from 192.0.2.2");

            try (TestSocket inner = udp(lab.node).from("10.64.0.2", 0)) {
                assertThat(inner.send("with the tunnel's address", "192.0.2.2", 631))
                        .isNotZero();
            }
        }
    }

    @Test
    void a_bypass_allows_exactly_its_destination() throws IOException {
        lab.nftables.apply(KillSwitchRuleset.of(input(
                EnumSet.allOf(Family.class),
                List.of(),
                List.of(
                        new Bypass(Prefix.parse("203.0.113.7"), Optional.of(Transport.UDP), OptionalInt.of(443)),
                        new Bypass(Prefix.parse("192.0.2.2"), Optional.empty(), OptionalInt.of(53)),
                        new Bypass(Prefix.parse("198.51.100.0/24"), Optional.empty(), OptionalInt.empty())))));
        try (DatagramSocket bypass = listen(lab.outside, "203.0.113.7", 443);
                DatagramSocket resolver = listen(lab.outside, "192.0.2.2", 53);
                DatagramSocket network = listen(lab.outside, "198.51.100.7", 4444);
                DatagramSocket stub = listen(lab.node, "127.0.0.1", 5353)) {
            assertThat(send(lab.node, 0, "another port", "203.0.113.7", 444)).isNotZero();
            assertThat(send(lab.node, 0, "through", "203.0.113.7", 443)).isZero();
            assertThat(receive(bypass, "")).isEqualTo("through from 192.0.2.1");
            assertThat(send(lab.node, 0, "who names port 53 means it", "192.0.2.2", 53))
                    .isZero();
            assertThat(receive(resolver, "")).startsWith("who names port 53 means it");
            assertThat(send(lab.node, 0, "any port", "198.51.100.7", 4444)).isZero();
            assertThat(receive(network, "")).startsWith("any port");
            assertThat(send(lab.node, 0, "but DNS", "198.51.100.7", 53)).isZero();
            assertThat(receive(stub, "")).startsWith("but DNS");
        }
    }

    @Test
    void tailscales_packets_leave_but_neither_as_dns_nor_through_the_tunnel() throws IOException {
        applyKillSwitch();
        try (DatagramSocket peer = listen(lab.outside, "198.51.100.7", 41641);
                DatagramSocket encrypted = listen(lab.outside, "198.51.100.7", 853);
                DatagramSocket provider = listen(lab.provider, "10.64.0.1", 41641)) {
            assertThat(send(lab.node, TAILSCALE, "question", "198.51.100.7", 853))
                    .isNotZero();
            assertThat(send(lab.node, TAILSCALE, "from another port", "198.51.100.7", 41641))
                    .isNotZero();
            try (TestSocket tailscale = tailscaleSocket()) {
                assertThat(tailscale.send("peer", "198.51.100.7", 41641)).isZero();
                assertThat(receive(peer, "")).isEqualTo("peer from 192.0.2.1");
            }
            try (TestSocket relay = tcp(lab.node).mark(TAILSCALE);
                    TestSocket other = tcp(lab.node).mark(TAILSCALE)) {
                assertThat(relay.send("relay", "198.51.100.7", 443))
                        .as("it is refused there")
                        .isEqualTo(111);
                assertThat(other.send("to no server of Tailscale's", "198.51.100.7", 8443))
                        .isEqualTo(113);
            }
            try (TestSocket tailscale = tailscaleSocket()) {
                assertThat(tailscale.send("by the tunnel", "10.64.0.1", 41641)).isNotZero();
            }
            assertNothingReceived(encrypted, 853);
            assertThat(send(lab.node, 0, "of others", "10.64.0.1", 41641)).isZero();
            assertThat(receive(provider, "")).startsWith("of others");
        }
    }

    /** The addresses are real ones, by which the kill switch identifies these services; no packet leaves the test's namespaces. */
    @ParameterizedTest
    @ValueSource(strings = {"1.1.1.1", "8.8.4.4", "9.9.9.11", "194.242.2.4"})
    void tailscales_dns_over_https_queries_do_not_leave(String resolver) {
        applyKillSwitch();
        try (TestSocket tailscale = tailscaleSocket()) {
            assertThat(tailscale.send("question", resolver, 443)).isNotZero();
        }
        try (TestSocket tailscale = tailscaleSocket()) {
            assertThat(tailscale.send("peer", "198.51.100.7", 443)).isZero();
        }
        try (TestSocket query = tcp(lab.node).mark(TAILSCALE)) {
            assertThat(query.send("question", resolver, 443)).isEqualTo(113);
        }
        try (TestSocket tailscale = tailscaleSocket()) {
            assertThat(tailscale.send("peer", resolver, 41641)).isZero();
        }
    }

    @Test
    void the_lockdown_ruleset_blocks_packets_with_any_mark() throws IOException {
        lab.nftables.apply(KillSwitchRuleset.lockdown());
        try (DatagramSocket local = listen(lab.node, "127.0.0.1", 7000)) {
            assertThat(send(lab.node, 0, "clear", "192.0.2.2", 53)).isNotZero();
            assertThat(send(lab.node, OURS, "too early", "198.51.100.7", 51820)).isNotZero();
            assertThat(send(lab.node, 0, "into the tunnel", "10.64.0.1", 443)).isNotZero();
            assertThat(send(lab.node, OURS, "question", "192.0.2.2", 53)).isNotZero();
            assertThat(send(lab.node, 0, "local", "127.0.0.1", 7000)).isZero();
            assertThat(receive(local, "")).startsWith("local");
        }
    }

    /** A proxy's client may request a name that resolves to another address when the proxy connects. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "127.5.5.5",
                "192.0.2.1",
                "10.99.0.1",
                "10.64.0.2",
                "::ffff:127.0.0.1",
                "::1",
                "2001:db8:e::1",
                "fd99::1",
                "fd00:64::2"
            })
    void local_services_are_unreachable_from_the_proxys_address(String service) throws IOException {
        boolean six = service.contains(":") && !service.startsWith("::ffff:");
        String proxy = six ? "fd00:64::2" : "10.64.0.2";
        String plain = service.replace("::ffff:", "");
        try (DatagramSocket unpublished = listen(lab.node, six ? "::" : "0.0.0.0", 7000);
                TestSocket before = (six ? udp6(lab.node) : udp(lab.node)).from(proxy, 0);
                TestSocket after = (six ? udp6(lab.node) : udp(lab.node)).from(proxy, 0);
                TestSocket tcp = lab.node
                        .inside(() -> new TestSocket(six ? Family.IPV6 : Family.IPV4, Transport.TCP))
                        .from(proxy, 0);
                TestSocket local = six ? udp6(lab.node) : udp(lab.node)) {
            assertThat(before.send("without a kill switch", plain, 7000)).isZero();
            assertThat(receive(unpublished, "")).startsWith("without a kill switch");

            applyKillSwitch();

            after.send("with it", plain, 7000);
            assertThat(tcp.send("with it", plain, 7000))
                    .as("EACCES or EHOSTUNREACH")
                    .isIn(13, 113);
            if (!plain.equals(proxy)) {
                assertThat(local.send("from another process", plain, 7000)).isZero();
                assertThat(receive(unpublished, "")).startsWith("from another process");
            }
            assertThat(lab.count(
                            "nothing else to loopback or mesh from the tunnel's address, " + (six ? "IPv6" : "IPv4")))
                    .isGreaterThanOrEqualTo(2);
            TestSocket unguarded = six ? udp6(lab.node) : udp(lab.node);
            try (unguarded) {
                unguarded.send("the first", six ? "::1" : "127.0.0.1", 7000);
                assertThat(receive(unpublished, "")).startsWith("the first");
            }
        }
    }

    @Test
    void from_the_proxys_address_the_dns_stub_is_reachable_but_not_the_mesh() throws IOException {
        applyKillSwitch();
        try (DatagramSocket stub = listen(lab.node, "127.0.0.1", 5353);
                DatagramSocket phone = listen(lab.client, "10.99.0.2", 8080);
                TestSocket stubClient = udp(lab.node).from("10.64.0.2", 0);
                TestSocket direct = udp(lab.node).from("10.64.0.2", 0);
                TestSocket proxied = udp(lab.node).from("10.64.0.2", 0)) {
            assertThat(stubClient.send("question", "192.0.2.1", 53)).isZero();
            assertThat(receive(stub, "name")).startsWith("question");
            assertThat(stubClient.receive()).isEqualTo("name");
            assertThat(direct.send("question", "127.0.0.1", 53)).isZero();
            assertThat(receive(stub, "")).startsWith("question");

            assertThat(proxied.send("to a phone", "10.99.0.2", 8080)).isNotZero();
            assertNothingReceivedFromInside(phone, lab.client, "10.99.0.2", 8080);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"224.0.0.251", "239.255.255.250", "255.255.255.255", "ff02::fb", "ff05::2", "ff0e::1"})
    void multicast_and_broadcast_packets_do_not_leave(String group) {
        for (String link : new String[] {"wg0", "tailscale0", "eth0"}) {
            assertThat(sendToMany(group, link)).as(link).isZero();
        }

        applyKillSwitch();

        for (String link : new String[] {"wg0", "tailscale0", "eth0"}) {
            assertThat(sendToMany(group, link)).as(link).isNotZero();
        }
    }

    private int sendToMany(String group, String link) {
        try (TestSocket socket = (group.contains(":") ? udp6(lab.node) : udp(lab.node))
                .link(link)
                .broadcast()) {
            return socket.send("to many", group, 1900);
        }
    }

    /** With CAP_NET_RAW, a process can send any of the allowed ICMPv6 types with any payload. */
    @Test
    void neighbour_discovery_packets_stay_on_the_link() {
        applyKillSwitch();
        String send = "import socket,sys; s=socket.socket(socket.AF_INET6,socket.SOCK_RAW,58);"
                + "s.sendto(bytes([136,0,0,0])+b'x'*20,(sys.argv[1],0))";

        lab.node.run("python3", "-c", send, "2001:db8:e::2");
        assertThatThrownBy(() -> lab.node.run("python3", "-c", send, "2001:db8:7::7"))
                .hasMessageContaining("Error");
    }

    @Test
    void services_stay_reachable_with_the_kill_switch_of_a_tunnel_without_a_mesh() throws IOException {
        lab.nftables.apply(KillSwitchRuleset.of(KillSwitchExamples.tunnelOnly()));
        try (DatagramSocket ssh = listen(lab.node, "192.0.2.1", 2222);
                DatagramSocket inTunnel = listen(lab.provider, "10.64.0.1", 443);
                TestSocket admin = udp(lab.outside).from("198.51.100.7", 4000)) {
            assertThat(admin.send("hello", "192.0.2.1", 2222)).isZero();
            assertThat(receive(ssh, "welcome")).startsWith("hello");
            assertThat(admin.receive()).isEqualTo("welcome");
            assertThat(send(lab.node, 0, "clear", "198.51.100.7", 443)).isNotZero();
            assertThat(send(lab.node, 0, "inside", "10.64.0.1", 443)).isZero();
            assertThat(receive(inTunnel, "")).startsWith("inside");
        }
    }

    /** A client that can choose the source port of its packets could receive replies to others (CVE-2021-3773). */
    @Test
    void packets_to_advertised_subnets_get_a_random_source_port() throws IOException {
        lab.node.run("ip", "-4", "rule", "add", "pref", "10", "to", "198.51.100.0/24", "lookup", "main");
        // As tailscaled does (util/linuxfw): it marks the packets that it forwards, and masquerades them later.
        lab.node.run("nft", """
                table ip tailscale {
                  chain forward {
                    type filter hook forward priority filter;
                    iifname "tailscale0" meta mark set meta mark and 0xff00ffff or 0x40000
                  }
                  chain post {
                    type nat hook postrouting priority srcnat;
                    meta mark and 0xff0000 == 0x40000 masquerade
                  }
                }
                """);
        try (DatagramSocket subnet = listen(lab.outside, "198.51.100.7", 443)) {
            assertThat(portsOfForwarded(subnet, 4000)).as("by Tailscale alone").containsExactly(4000, 4001, 4002, 4003);

            lab.nftables.apply(KillSwitchRuleset.of(input(List.of(Prefix.parse("198.51.100.0/24")))));

            assertThat(portsOfForwarded(subnet, 5000).stream().filter(port -> port >= 5000 && port <= 5003))
                    .hasSizeLessThan(4);
        }
    }

    /** Returns the source ports of the client's packets on arrival, sent from four consecutive ports. */
    private List<Integer> portsOfForwarded(DatagramSocket listener, int first) throws IOException {
        List<Integer> sourcePorts = new ArrayList<>();
        for (int port = first; port < first + 4; port++) {
            try (TestSocket client = udp(lab.client).from("10.99.0.2", port)) {
                assertThat(client.send("hello", "198.51.100.7", 443)).isZero();
                DatagramPacket packet = new DatagramPacket(new byte[64], 64);
                listener.receive(packet);
                sourcePorts.add(packet.getPort());
            }
        }
        return sourcePorts;
    }

    private void applyKillSwitch() {
        lab.nftables.apply(KillSwitchRuleset.of(input(EnumSet.allOf(Family.class), List.of(), List.of())));
    }

    private static KillSwitchInput input(Set<Family> families, List<Prefix> allowed, List<Bypass> bypasses) {
        return input(Mesh.Kind.TAILSCALE, families, allowed, bypasses);
    }

    private static KillSwitchInput input(List<Prefix> subnets) {
        return input(Mesh.Kind.TAILSCALE, EnumSet.allOf(Family.class), List.of(), List.of(), subnets);
    }

    private static KillSwitchInput input(
            Mesh.Kind kind, Set<Family> families, List<Prefix> allowed, List<Bypass> bypasses) {
        return input(kind, families, allowed, bypasses, List.of());
    }

    private static KillSwitchInput input(
            Mesh.Kind kind, Set<Family> families, List<Prefix> allowed, List<Bypass> bypasses, List<Prefix> subnets) {
        return KillSwitchInput.of(
                Marks.DEFAULT,
                Scope.NODE,
                new Tunnel(
                        "wg0",
                        KillSwitchExamples.addresses("10.64.0.2", "fd00:64::2"),
                        families,
                        List.of(),
                        KillSwitchExamples.PORT),
                it -> {
                    it.meshes = List.of(Mesh.of(kind, "tailscale0", mesh -> {
                        mesh.addresses = KillSwitchExamples.addresses("10.99.0.1", "fd99::1");
                        mesh.port = OptionalInt.of(41641);
                        mesh.reach = List.of(Prefix.parse("10.99.0.0/24"), Prefix.parse("fd99::/64"));
                        mesh.subnets = subnets;
                        mesh.masquerades = true;
                        mesh.serverPorts = List.of(80, 443);
                    }));
                    it.servers = KillSwitchExamples.servers("198.51.100.7:51820", "[2001:db8:7::7]:51820");
                    it.resolvers = KillSwitchExamples.addresses("192.0.2.2");
                    it.lan = allowed;
                    it.published = List.of(new Port(1080, Transport.UDP), new Port(1080, Transport.TCP));
                    it.onLink = List.of(Prefix.parse("2001:db8:e::/64"));
                    it.bypasses = bypasses;
                    it.hasProxy = true;
                    it.dnsPort = OptionalInt.of(5353);
                });
    }

    private TestSocket outsideSocket(Family family) {
        return family == Family.IPV4 ? udp(lab.outside) : udp6(lab.outside);
    }

    private TestSocket nodeSocket(Family family) {
        return family == Family.IPV4 ? udp(lab.node) : udp6(lab.node);
    }

    /** Returns a socket that the kill switch takes for the tunnel's own. */
    private TestSocket tunnelSocket(Family family) {
        return (family == Family.IPV4 ? udp(lab.node) : udp6(lab.node))
                .mark(OURS)
                .from(family == Family.IPV4 ? "0.0.0.0" : "::", KillSwitchExamples.PORT.getAsInt());
    }

    private TestSocket tailscaleSocket() {
        return udp(lab.node).mark(TAILSCALE).from("0.0.0.0", 41641);
    }

    private static int send(TestNamespace namespace, long mark, String text, String address, int port) {
        try (TestSocket socket = udp(namespace)) {
            return (mark == 0 ? socket : socket.mark(mark)).send(text, address, port);
        }
    }

    /** Checks that the first datagram to arrive is one that is sent next to the listener itself. */
    private void assertNothingReceived(DatagramSocket listener, int port) throws IOException {
        boolean outside = listener.getLocalAddress().getHostAddress().startsWith("198.");
        assertNothingReceivedFromInside(
                listener,
                outside ? lab.outside : lab.node,
                listener.getLocalAddress().getHostAddress(),
                port);
    }

    private static void assertNothingReceivedFromInside(
            DatagramSocket listener, TestNamespace namespace, String address, int port) throws IOException {
        send(namespace, 0, "the first", address, port);
        assertThat(receive(listener, "")).startsWith("the first");
    }

    /** Returns the outside neighbour's cache entry of an address after it has tried to reach it. */
    private String neighbourState(String address) {
        try (TestSocket socket = tcp(lab.outside)) {
            socket.send("anyone?", address, 1080);
        }
        return lab.outside.run("ip", "neighbour", "show", address, "dev", "eth0");
    }
}
