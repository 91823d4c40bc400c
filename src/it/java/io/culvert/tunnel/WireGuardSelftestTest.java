// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.WireGuardInterface;
import io.culvert.tunnel.RoutedMachines.Machine;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the kernel's own test of WireGuard (tools/testing/selftests/wireguard/netns.sh) checks, with every interface brought up by
 * {@code culvert tunnel up}. Its two machines exchange packets over loopback; here there is a router between them.
 */
@NamespaceTest
class WireGuardSelftestTest {

    private static final List<String> PRIVATE =
            IntStream.range(0, 5).mapToObj(_ -> WireGuardInterface.privateKey()).toList();
    private static final List<String> PUBLIC =
            PRIVATE.stream().map(WireGuardInterface::publicKey).toList();
    private static final String PRESHARED = WireGuardInterface.privateKey();
    /** Until the test fails; long enough for an emulated machine. */
    private static final Duration TIMEOUT = Duration.ofMinutes(2);

    private static final int LEFT_PORT = 1001;
    private static final int RIGHT_PORT = 1002;
    private static final String LEFT_IPV4 = "10.241.0.1";
    private static final String RIGHT_IPV4 = "10.241.0.2";
    private static final String LEFT_IPV6 = "fd00:241::1";
    private static final String RIGHT_IPV6 = "fd00:241::2";
    private static final String RIGHT_UPLINK_IPV4 = "198.51.100.2";
    private static final String RIGHT_UPLINK_IPV6 = "2001:db8:2::2";
    private static final String LEFT_ADDRESSES = LEFT_IPV4 + "/24, " + LEFT_IPV6 + "/112";
    private static final String RIGHT_ADDRESSES = RIGHT_IPV4 + "/24, " + RIGHT_IPV6 + "/112";

    private final RoutedMachines machines = new RoutedMachines();
    private final Machine left = machines.left;
    private final Machine right = machines.right;

    @AfterEach
    void close() {
        machines.close();
    }

    private static String file(int key, int port, String addresses, String... rest) {
        return "[Interface]\nPrivateKey = %s\nListenPort = %d\nAddress = %s\n%s\n"
                .formatted(PRIVATE.get(key), port, addresses, String.join("\n", rest));
    }

    private static String peer(int key, String allowedIps, String... rest) {
        return "[Peer]\nPublicKey = %s\nPresharedKey = %s\nAllowedIPs = %s\n%s\n"
                .formatted(PUBLIC.get(key), PRESHARED, allowedIps, String.join("\n", rest));
    }

    private static String leftFile(String endpoint, String... rest) {
        return file(0, LEFT_PORT, LEFT_ADDRESSES, rest)
                + peer(1, RIGHT_IPV4 + "/32, " + RIGHT_IPV6 + "/128", "Endpoint = " + endpoint);
    }

    private static String rightFile(String... rest) {
        return file(1, RIGHT_PORT, RIGHT_ADDRESSES, rest) + peer(0, LEFT_IPV4 + "/32, " + LEFT_IPV6 + "/128");
    }

    private void up(String leftText, String rightText) {
        CompletableFuture<Void> other = CompletableFuture.runAsync(() -> right.up("wg0", rightText));
        left.up("wg0", leftText);
        other.join();
    }

    /** Brings both up; the right one learns the other's endpoint from its first packet. */
    private void up() {
        up(leftFile(RIGHT_UPLINK_IPV4 + ":" + RIGHT_PORT), rightFile());
    }

    private String rightsEndpoint() {
        return right.show("wg0", "endpoints").replaceFirst("^\\S+\\s+", "");
    }

    private void assertReached(Machine from, String... addresses) {
        for (String address : addresses) {
            assertThat(from.ping(address, 1)).as(address).isOne();
        }
    }

    /** Repeats a cheap look until it is as expected. */
    private static String await(Supplier<String> look, Predicate<String> expected) {
        long end = System.nanoTime() + TIMEOUT.toNanos();
        String seen = look.get();
        while (!expected.test(seen) && System.nanoTime() < end) {
            seen = look.get();
        }
        assertThat(expected.test(seen)).as(seen).isTrue();
        return seen;
    }

    @Test
    void counters_are_exact_to_the_byte() {
        up();

        assertThat(left.ping(RIGHT_IPV4, 10)).isEqualTo(10);

        // Ten packets of 84 bytes, padded to 96, with 32 of header and tag; a first message of 148 bytes, its response
        // of 92.
        // A keepalive of 32 bytes may confirm the session.
        String other = PUBLIC.get(0) + "\t";
        assertThat(right.show("wg0", "transfer")).isIn(other + "1428\t1372", other + "1460\t1372");
        String one = PUBLIC.get(1) + "\t";
        assertThat(left.show("wg0", "transfer")).isIn(one + "1372\t1428", one + "1372\t1460");
        assertThat(left.show("wg0", "latest-handshakes")).doesNotEndWith("\t0");
    }

    private void exchangeEverything() {
        assertThat(right.ping(LEFT_IPV4, 10)).isEqualTo(10);
        assertThat(left.ping(RIGHT_IPV4, 10)).isEqualTo(10);
        assertThat(right.ping(LEFT_IPV6, 10)).isEqualTo(10);
        assertThat(left.ping(RIGHT_IPV6, 10)).isEqualTo(10);
        left.iperf(right, RIGHT_IPV4, "-Z", "-n", "8M");
        right.iperf(left, LEFT_IPV6, "-Z", "-n", "8M");
        assertThat(right.iperf(left, LEFT_IPV4, "-u", "-b", "100M", "-n", "4M")).doesNotContain("(100%)");
        assertThat(left.iperf(right, RIGHT_IPV6, "-u", "-b", "100M", "-n", "4M"))
                .doesNotContain("(100%)");
        for (String streams : List.of("4", "5", "50")) {
            left.iperf(right, RIGHT_IPV4, "-Z", "-P", streams, "-n", "8M");
        }
    }

    /** 34816 bytes and more need fragments outside. */
    @ParameterizedTest(name = "over {0}, MTU {1}")
    @CsvSource({"IPv4, 1420", "IPv4, 34736", "IPv6, 1420", "IPv6, 34736"})
    void ping_TCP_UDP_and_parallel_streams_pass(String outer, int mtu) {
        String server = outer.equals("IPv4") ? RIGHT_UPLINK_IPV4 : "[" + RIGHT_UPLINK_IPV6 + "]";
        up(leftFile(server + ":" + RIGHT_PORT, "MTU = " + mtu), rightFile("MTU = " + mtu));
        assertReached(left, RIGHT_IPV4);

        exchangeEverything();

        assertThat(left.namespace().run("ip", "link", "show", "wg0")).contains("mtu " + mtu + " ");
    }

    @Test
    void padding_does_not_exceed_the_MTU() {
        up(leftFile(RIGHT_UPLINK_IPV4 + ":" + RIGHT_PORT, "MTU = 1300"), rightFile("MTU = 1300"));
        assertReached(left, RIGHT_IPV4);
        // 60 bytes of headers and tag around 1300.
        machines.router.nft(
                "table ip big { chain forward { type filter hook forward priority 0; ip length > 1360 drop; }; }");

        assertThat(right.ping(LEFT_IPV4, 1, 1272, "", 10)).isEqualTo("1");
    }

    @Test
    void a_peer_is_followed_to_another_address_and_port_in_both_families() {
        up();
        assertReached(left, RIGHT_IPV4);
        left.namespace()
                .ip(
                        "address add 192.0.2.99/24 dev eth0",
                        "address delete 192.0.2.2/24 dev eth0",
                        "route replace default via 192.0.2.1");
        left.wgSet("wg0 listen-port 9999");

        assertReached(left, RIGHT_IPV6);
        assertThat(rightsEndpoint()).isEqualTo("192.0.2.99:9999");

        left.wgSet(
                "wg0 listen-port 9998 peer " + PUBLIC.get(1) + " endpoint [" + RIGHT_UPLINK_IPV6 + "]:" + RIGHT_PORT);

        assertReached(left, RIGHT_IPV4);
        assertThat(rightsEndpoint()).isEqualTo("[2001:db8:1::2]:9998");
    }

    @Test
    void packets_from_an_address_of_another_peer_are_dropped() throws Exception {
        up();
        left.wgSet("wg0 peer " + PUBLIC.get(1) + " allowed-ips 10.241.0.0/24," + RIGHT_IPV6 + "/128");
        try (DatagramSocket socket =
                left.namespace().call(() -> new DatagramSocket(new InetSocketAddress(LEFT_IPV4, 1111)))) {
            socket.setSoTimeout((int) TIMEOUT.toMillis());
            assertReached(left, RIGHT_IPV4);
            send(right, LEFT_IPV4);
            socket.receive(new DatagramPacket(new byte[1], 1));

            left.wgSet("wg0 peer " + PUBLIC.get(2) + " allowed-ips " + RIGHT_IPV4 + "/32");
            right.wgSet("wg0 listen-port 9997");
            send(right, LEFT_IPV4);

            // A later packet of the same peer, from an allowed address, arrives.
            assertReached(right, LEFT_IPV6);
            socket.setSoTimeout(1);
            assertThat(receives(socket)).isFalse();
        }
        left.wgSet("wg0 peer " + PUBLIC.get(2) + " remove");
        assertThat(left.show("wg0", "endpoints")).isEqualTo(PUBLIC.get(1) + "\t198.51.100.2:9997");
    }

    private static void send(Machine from, String address) throws Exception {
        from.namespace().call(() -> {
            try (DatagramSocket socket = new DatagramSocket()) {
                socket.send(new DatagramPacket(new byte[] {'X'}, 1, new InetSocketAddress(address, 1111)));
            }
            return true;
        });
    }

    private static boolean receives(DatagramSocket socket) throws IOException {
        try {
            socket.receive(new DatagramPacket(new byte[1], 1));
            return true;
        } catch (SocketTimeoutException _) {
            return false;
        }
    }

    @Test
    void a_changed_private_key_is_used_at_once() {
        up();
        assertReached(left, RIGHT_IPV4);

        // The same interface, with the file edited on both sides.
        up(
                leftFile(RIGHT_UPLINK_IPV4 + ":" + RIGHT_PORT).replace(PRIVATE.get(0), PRIVATE.get(2)),
                rightFile().replace(PUBLIC.get(0), PUBLIC.get(2)));

        assertReached(left, RIGHT_IPV4, RIGHT_IPV6);
        assertThat(right.show("wg0", "peers")).isEqualTo(PUBLIC.get(2));
    }

    /** Brings up wg0 for wg1, and wg1, with the addresses of the other tests, within it. */
    private void upNested() {
        up(
                file(3, LEFT_PORT, "fd00:5::1/112")
                        + peer(4, "fd00:5::2/128", "Endpoint = " + RIGHT_UPLINK_IPV4 + ":" + RIGHT_PORT),
                file(4, RIGHT_PORT, "fd00:5::2/112") + peer(3, "fd00:5::1/128"));
        CompletableFuture<Void> other = CompletableFuture.runAsync(
                () -> right.up("wg1", rightFile("MTU = 1340").replace("= " + RIGHT_PORT, "= 5")));
        left.up("wg1", leftFile("[fd00:5::2]:5", "MTU = 1340").replace("= " + LEFT_PORT, "= 5"));
        other.join();
        assertReached(left, RIGHT_IPV4);
    }

    @Test
    void WireGuard_passes_through_WireGuard() {
        upNested();

        exchangeEverything();
    }

    private long received(Machine machine) {
        return Long.parseLong(machine.show("wg0", "transfer").split("\t", -1)[1]);
    }

    @Test
    void a_keepalive_keeps_a_NAT_open() {
        machines.router.nft("""
            table ip translation {
              chain out { type nat hook postrouting priority srcnat; ip saddr 192.0.2.0/24 ip daddr 198.51.100.0/24 snat to 198.51.100.1; }
            }
            """);
        machines.router.sysctl(
                "net.netfilter.nf_conntrack_udp_timeout=2", "net.netfilter.nf_conntrack_udp_timeout_stream=2");
        up(leftFile(RIGHT_UPLINK_IPV4 + ":" + RIGHT_PORT, "") + "PersistentKeepalive = 1\n", rightFile());

        assertReached(left, RIGHT_IPV4);
        assertReached(right, LEFT_IPV4);
        assertThat(rightsEndpoint()).isEqualTo("198.51.100.1:" + LEFT_PORT);

        // Four keepalives, one a second, are longer than the entry lives.
        long before = received(right);
        await(() -> "" + (received(right) - before), bytes -> Long.parseLong(bytes) >= 4 * 32);
        assertReached(right, LEFT_IPV4);
    }

    @Test
    void sockets_bound_to_the_tunnel_are_rerouted_with_a_mark_too() {
        up();
        assertReached(left, RIGHT_IPV4);
        assertThat(left.ping(RIGHT_IPV4, 1, 56, "wg0", 10)).isEqualTo("1");

        left.namespace()
                .nft("table inet marks { chain out { type route hook output priority mangle; meta mark set 1; }; }");

        assertReached(left, RIGHT_IPV4);
        assertThat(left.ping(RIGHT_IPV4, 1, 56, "wg0", 10)).isEqualTo("1");
    }

    /** That of wg-quick, which Culvert's equals; the uplink has IPv6 too. */
    @Test
    void the_policy_routing_of_default_routes_carries_both_families() {
        up(
                file(0, LEFT_PORT, LEFT_ADDRESSES)
                        + peer(1, "0.0.0.0/0, ::/0", "Endpoint = " + RIGHT_UPLINK_IPV4 + ":" + RIGHT_PORT),
                rightFile().replace(RIGHT_ADDRESSES, RIGHT_ADDRESSES + ", 10.99.0.7/32, fd00:99::7/128"));

        assertThat(left.ping("10.99.0.7", 100)).isEqualTo(100);
        assertThat(left.ping("fd00:99::7", 100)).isEqualTo(100);
    }

    @ParameterizedTest
    @ValueSource(strings = {"IPv4", "IPv6"})
    void a_removed_source_address_is_not_used_any_longer(String outer) {
        boolean ipv4 = outer.equals("IPv4");
        up(leftFile((ipv4 ? RIGHT_UPLINK_IPV4 : "[" + RIGHT_UPLINK_IPV6 + "]") + ":" + RIGHT_PORT), rightFile());
        assertReached(left, RIGHT_IPV4);

        if (ipv4) {
            left.namespace()
                    .ip(
                            "address add 192.0.2.10/24 dev eth0",
                            "address delete 192.0.2.2/24 dev eth0",
                            "route replace default via 192.0.2.1");
        } else {
            left.namespace()
                    .ip("address add 2001:db8:1::10/64 dev eth0 nodad", "address delete 2001:db8:1::2/64 dev eth0");
        }

        // Userspace WireGuard forgets the address only when a handshake has failed.
        await(() -> left.ping(RIGHT_IPV4, 1, 56, "", 10), "1"::equals);
        assertThat(rightsEndpoint()).startsWith(ipv4 ? "192.0.2.10:" : "[2001:db8:1::10]:");
    }

    @Test
    void replies_come_from_the_address_to_which_the_peer_sent() {
        left.namespace()
                .ip(
                        "address add 192.0.2.3/24 dev eth0",
                        "address add 2001:db8:1::3/64 dev eth0 nodad",
                        "link add other type veth peer name another",
                        "link set another up",
                        "link set other up",
                        "address add 203.0.113.1/24 dev other");
        machines.router.ip("route add 203.0.113.0/24 via 192.0.2.2");
        up();

        for (String address : List.of("192.0.2.2", "[2001:db8:1::2]", "192.0.2.3", "[2001:db8:1::3]", "203.0.113.1")) {
            String endpoint = address + ":" + LEFT_PORT;
            right.wgSet("wg0 peer " + PUBLIC.get(0) + " endpoint " + endpoint);

            assertReached(right, LEFT_IPV4);
            assertThat(rightsEndpoint()).isEqualTo(endpoint);
        }
    }

    @Test
    void a_better_route_over_another_link_is_used() {
        up();
        assertReached(left, RIGHT_IPV4);
        assertThat(rightsEndpoint()).isEqualTo("192.0.2.2:" + LEFT_PORT);
        machines.connect(left, "eth1", "left1", "203.0.113.", "2001:db8:3::");

        left.namespace().ip("route add 198.51.100.0/24 via 203.0.113.1 dev eth1 src 203.0.113.2");

        assertReached(left, RIGHT_IPV4);
        assertThat(rightsEndpoint()).isEqualTo("203.0.113.2:" + LEFT_PORT);
    }

    /** How many allowed IPs each of how many peers has; the kernel splits its answers about them. */
    @ParameterizedTest(name = "{0} peers with {1} IPv4 and {2} IPv6 networks")
    @CsvSource({"1, 15000, 15000", "40, 52, 0", "30, 0, 1", "1, 0, 197"})
    void many_peers_and_allowed_ips_are_configured_and_read_back(int peers, int ipv4, int ipv6) {
        StringBuilder text = new StringBuilder(file(0, LEFT_PORT, LEFT_ADDRESSES, "Table = off"));
        for (int i = 0; i < peers; i++) {
            int number = i;
            text.append("[Peer]\nPublicKey = ")
                    .append(WireGuardInterface.publicKey(WireGuardInterface.privateKey()))
                    .append('\n');
            IntStream.range(0, ipv4)
                    .forEach(j -> text.append(
                            "AllowedIPs = %d.%d.0.0/16\n".formatted(peers == 1 ? 1 + j / 256 : 1 + number, j % 256)));
            IntStream.range(0, ipv6)
                    .forEach(j ->
                            text.append("AllowedIPs = 2001:db8:%x:%x::%x/128\n".formatted(number, j / 256, j % 256)));
        }

        left.up("wg0", text.toString());

        List<Integer> each = left.show("wg0", "allowed-ips")
                .lines()
                .map(line -> line.split("[\t ]", -1).length - 1)
                .toList();
        assertThat(each).hasSize(peers).allMatch(count -> count == ipv4 + ipv6);
        // What Culvert itself reads back.
        String shown = left.tunnel("show", "wg0").outputOrFail();
        assertThat(shown.split("allowed ips: ", -1)).hasSize(peers + 1);
        assertThat(Arrays.stream(shown.split("\n", -1))
                        .filter(line -> line.contains("allowed ips: "))
                        .mapToInt(line -> line.split(", ", -1).length)
                        .sum())
                .isEqualTo(peers * (ipv4 + ipv6));
    }

    @Test
    void an_interface_that_does_not_exist_is_an_error() {
        CommandResult shown = left.tunnel("show", "nosuchlink");

        assertThat(shown.status()).isNotZero();
        assertThat(shown.err()).contains("nosuchlink");
    }

    @Test
    void zeroed_keys_are_none_and_the_own_key_is_no_peer() {
        up();
        assertThat(left.show("wg0", "public-key")).isEqualTo(PUBLIC.getFirst());
        assertThat(left.show("wg0", "preshared-keys")).isEqualTo(PUBLIC.get(1) + "\t" + PRESHARED);

        left.wgSet("wg0 private-key /dev/null peer " + PUBLIC.get(1) + " preshared-key /dev/null");
        assertThat(left.show("wg0", "private-key")).isEqualTo("(none)");
        assertThat(left.show("wg0", "preshared-keys")).isEqualTo(PUBLIC.get(1) + "\t(none)");
        left.tunnel("show", "wg0").outputOrFail();

        // The file is applied again, and with the peer's private key that peer is the interface itself.
        left.up("wg0", leftFile(RIGHT_UPLINK_IPV4 + ":" + RIGHT_PORT));
        assertReached(left, RIGHT_IPV4);
        CommandResult own = left.tunnel(
                "up",
                left.file(
                        "wg0", leftFile(RIGHT_UPLINK_IPV4 + ":" + RIGHT_PORT).replace(PRIVATE.get(0), PRIVATE.get(1))));
        assertThat(own.err()).contains("PublicKey is the key of this interface");
        left.wgSet("wg0 private-key " + left.file("key", PRIVATE.get(1)) + " peer " + PUBLIC.get(1));
        assertThat(left.show("wg0", "peers")).isEmpty();
    }

    @Test
    void overlapping_allowed_ips_and_unclamped_keys_are_accepted() {
        up();
        for (String allowed : List.of(
                "0.0.0.0/0,10.0.0.0/8,100.0.0.0/10,172.16.0.0/12,192.168.0.0/16",
                "0.0.0.0/0",
                "::/0,1700::/111,5000::/4,e000::/37,9000::/75",
                "::/0")) {
            left.wgSet("wg0 peer " + PUBLIC.get(1) + " allowed-ips " + allowed);
            assertThat(left.show("wg0", "allowed-ips").split("[\t ]", -1)).hasSize(allowed.split(",", -1).length + 1);
            left.tunnel("show", "wg0").outputOrFail();
        }
        String unclamped = "/" + PRIVATE.get(0).substring(1);
        left.up("wg0", leftFile(RIGHT_UPLINK_IPV4 + ":" + RIGHT_PORT).replace(PRIVATE.get(0), unclamped));
        assertThat(left.show("wg0", "public-key")).isEqualTo(WireGuardInterface.publicKey(unclamped));
    }

    /** Points of low order on Curve25519, with which any shared secret is zero; zero itself is refused in a file. */
    private static final List<String> LOW_ORDER_POINTS = List.of(
            "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=",
            "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=",
            "7P///////////////////////////////////////38=",
            "7f///////////////////////////////////////38=",
            "7v///////////////////////////////////////38=");

    @Test
    void nothing_is_sent_to_peers_whose_key_is_a_point_of_low_order() throws Exception {
        String weak = LOW_ORDER_POINTS.stream()
                .map(point ->
                        "[Peer]\nPublicKey = " + point + "\nPersistentKeepalive = 1\nEndpoint = 198.51.100.2:1111\n")
                .collect(Collectors.joining());
        try (DatagramSocket low = right.namespace().call(() -> new DatagramSocket(1111));
                DatagramSocket sound = right.namespace().call(() -> new DatagramSocket(1112))) {
            left.up(
                    "wg0",
                    file(0, LEFT_PORT, LEFT_ADDRESSES)
                            + weak
                            + peer(1, RIGHT_IPV4 + "/32", "PersistentKeepalive = 1", "Endpoint = 198.51.100.2:1112"));

            assertThat(left.show("wg0", "peers")).contains(LOW_ORDER_POINTS);
            sound.setSoTimeout((int) TIMEOUT.toMillis());
            // Its first message and the next attempt, five seconds later.
            sound.receive(new DatagramPacket(new byte[1], 1));
            sound.receive(new DatagramPacket(new byte[1], 1));
            low.setSoTimeout(1);
            assertThat(receives(low)).isFalse();
        }
    }

    @Test
    void nothing_is_left_after_down() throws IOException {
        String before = state();
        up();
        right.up("wg1", file(2, 5, "10.242.0.2/24") + peer(0, "10.242.0.1/32"));
        assertReached(left, RIGHT_IPV4);

        right.down("wg1");
        right.down("wg0");
        left.down("wg0");

        await(machines::programs, String::isEmpty);
        assertThat(state()).isEqualTo(before);
    }

    private String state() {
        return Stream.of(left, right)
                .map(machine -> machine.namespace().run("ip", "-o", "address")
                        + machine.namespace().run("ip", "route", "show", "table", "all")
                        + machine.namespace().run("ip", "-6", "route", "show", "table", "all")
                        + machine.namespace().run("ip", "rule")
                        + machine.namespace().run("ip", "-6", "rule")
                        + machine.namespace().run("nft", "list", "ruleset")
                        + machine.attempt("ls", "/run/wireguard").out())
                .collect(Collectors.joining());
    }
}
