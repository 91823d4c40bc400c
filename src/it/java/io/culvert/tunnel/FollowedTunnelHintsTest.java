// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each hint of 'culvert tunnel up' is correct: after following it, with the commands that it contains, the tunnel works.
 */
@NamespaceTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public class FollowedTunnelHintsTest {

    private static final String ROUTE_4 = "198.51.100.0/24";
    private static final String ROUTE_6 = "2001:db8:1::/64";

    private final TunnelLab lab = new TunnelLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();

    /**
     * A row of the table.
     *
     * @param hint as it is printed
     * @param file its text
     * @param options of 'culvert tunnel up' after the file
     * @param follow follows the hint
     * @param repairedFile the file's text after following the hint
     * @param then options of the second 'culvert tunnel up'
     */
    record Row(
            Set<String> areas,
            String hint,
            Function<Provider, String> file,
            String options,
            Consumer<TunnelLab> fault,
            Consumer<TunnelLab> follow,
            Function<Provider, String> repairedFile,
            String then) {

        Row(
                String area,
                String hint,
                Function<Provider, String> file,
                String options,
                Consumer<TunnelLab> fault,
                Consumer<TunnelLab> follow) {
            this(Set.of(area), hint, file, options, fault, follow, file, options);
        }

        /** Follows the hint by running its command. */
        Row withCommandFromHint(String pattern) {
            return new Row(
                    areas,
                    hint,
                    file,
                    options,
                    fault,
                    lab -> {
                        Matcher matcher = Pattern.compile(pattern).matcher(hint);
                        assertThat(matcher.find()).as(hint).isTrue();
                        String command = matcher.group(1);
                        if (command.startsWith("culvert ")) {
                            lab.node()
                                    .run(
                                            java.util.Map.of(),
                                            command.substring("culvert ".length())
                                                    .split(" ", -1))
                                    .outputOrFail();
                        } else if (command.startsWith("wg-quick ")) {
                            lab.wgQuick(
                                            "down",
                                            lab.file(
                                                    "wg0.conf",
                                                    lab.lab().provider().file()))
                                    .outputOrFail();
                        } else {
                            lab.node().namespace().run("sh", "-c", command);
                        }
                    },
                    repairedFile,
                    then);
        }

        Row thenUp(Function<Provider, String> text, String second) {
            return new Row(areas, hint, file, options, fault, follow, text, second);
        }

        @Override
        public String toString() {
            return hint;
        }
    }

    @AfterAll
    void closeLab() {
        lab.close();
    }

    @ParameterizedTest
    @MethodSource("rows")
    void following_the_hint_brings_the_tunnel_up(Row row) {
        row.fault.accept(lab);
        CommandResult faulty = up(row.file, row.options);
        assertThat(faulty.err().lines().map(line -> line.strip().replaceFirst("^hint: ", "")))
                .as(faulty.err())
                .contains(row.hint);
        if (faulty.status() == 0) {
            lab.tunnel("down", "wg0").outputOrFail();
        }

        row.follow.accept(lab);
        CommandResult secondRun = up(row.repairedFile, row.then);
        assertThat(secondRun.status()).as(secondRun.err()).isZero();
        assertThat(secondRun.err()).doesNotContain(row.hint);
        lab.tunnel("down", "wg0").outputOrFail();
    }

    private CommandResult up(Function<Provider, String> text, String options) {
        String file = lab.file("wg0.conf", text.apply(provider));
        return options.isEmpty() ? lab.tunnel("up", file) : lab.tunnel("up", file, options);
    }

    /** For HintCoverageTest. */
    public static Stream<FollowedHint> hints() {
        return rows().map(row -> new FollowedHint(row.areas, row.hint));
    }

    private static Function<Provider, String> to(String allowedIps) {
        return provider -> provider.file(provider.publicIpv4() + ":51820", allowedIps);
    }

    private static Function<Provider, String> hooked(String hook) {
        return provider -> provider.file().replace("[Interface]", "[Interface]\n" + hook);
    }

    private static Consumer<TunnelLab> ip(String... lines) {
        return lab -> lab.node().namespace().ip(lines);
    }

    private static String rival(String prefix, String ip, String route) {
        return "remove " + prefix
                + " from AllowedIPs (in a network file: from the peer's routes), or delete that route: " + ip
                + " route delete " + route;
    }

    private static Stream<Row> rows() {
        Consumer<TunnelLab> nothing = _ -> {};
        String via4 = ROUTE_4 + " via " + Lab.ROUTER_IPV4 + " dev eth0";
        String via6 = ROUTE_6 + " via " + Lab.ROUTER_IPV6 + " dev eth0";
        return Stream.of(
                new Row("plan", rival(ROUTE_4, "ip -4", via4), to(ROUTE_4), "", ip("route add " + via4), nothing)
                        .withCommandFromHint("(ip -4 route delete .*)"),
                new Row(
                                "plan",
                                rival(ROUTE_6, "ip -6", via6),
                                to(ROUTE_6),
                                "",
                                ip("route add " + via6 + " metric 1"),
                                nothing)
                        .withCommandFromHint("(ip -6 route delete .*)"),
                new Row("plan", rival(ROUTE_4, "ip -4", via4), to(ROUTE_4), "", ip("route add " + via4), nothing)
                        .thenUp(to("198.51.100.0/25"), ""),
                new Row(
                        "plan",
                        "ask the other side for another Address, or give that network another range",
                        Provider::file,
                        "--kill-switch",
                        ip("route delete " + via4, "address add 10.64.0.2/24 dev eth0"),
                        ip("address delete 10.64.0.2/24 dev eth0")),
                new Row("tunnel", "delete the line", hooked("FwMark = 51820"), "--kill-switch", nothing, nothing)
                        .thenUp(Provider::file, "--kill-switch"),
                new Row(
                                "wireguard/config",
                                "add --kill-switch",
                                hooked("PostUp = iptables -I OUTPUT ! -o %i -j REJECT"),
                                "",
                                nothing,
                                nothing)
                        .thenUp(hooked("PostUp = iptables -I OUTPUT ! -o %i -j REJECT"), "--kill-switch"),
                new Row(
                                "wireguard/config",
                                "use 'culvert up' or your own firewall for this, and delete the line",
                                hooked("PostUp = iptables -t nat -A POSTROUTING -o %i -j MASQUERADE"),
                                "",
                                nothing,
                                nothing)
                        .thenUp(Provider::file, ""),
                new Row(
                                "wireguard/config",
                                "run it outside Culvert, and delete the line",
                                hooked("PostUp = curl http://192.0.2.9/"),
                                "",
                                nothing,
                                nothing)
                        .thenUp(Provider::file, ""),
                new Row(
                                "wireguard/config",
                                "delete the line; to allow a local network, use 'culvert up' with CULVERT_LAN_ALLOW",
                                hooked("PostUp = ip route add 192.168.7.0/24 via 192.0.2.1"),
                                "--kill-switch",
                                nothing,
                                nothing)
                        .thenUp(Provider::file, "--kill-switch"),
                new Row(
                                "requirements",
                                "correct the name in Endpoint, or write the server's address there",
                                provider -> provider.file("nowhere.invalid:51820", "0.0.0.0/0, ::/0"),
                                "",
                                nothing,
                                nothing)
                        .thenUp(Provider::file, ""),
                new Row(
                                "tunnel",
                                "rename the file; or, if another WireGuard program created the interface, remove it with that (wg-quick down wg0)",
                                Provider::file,
                                "",
                                lab -> lab.wgQuick(
                                                "up",
                                                lab.file(
                                                        "wg0.conf",
                                                        lab.lab().provider().file()))
                                        .outputOrFail(),
                                nothing)
                        .withCommandFromHint("(wg-quick down wg0)"),
                new Row(
                                "tunnel",
                                "take it down first: culvert tunnel down other",
                                Provider::file,
                                "--kill-switch",
                                lab -> lab.tunnel(
                                                "up",
                                                lab.file(
                                                        "other.conf",
                                                        lab.lab()
                                                                .provider()
                                                                .file(
                                                                        lab.lab()
                                                                                        .provider()
                                                                                        .publicIpv4() + ":51820",
                                                                        "198.51.100.0/25")))
                                        .outputOrFail(),
                                nothing)
                        .withCommandFromHint("(culvert tunnel down other)"),
                new Row(
                                "wireguard/device",
                                "choose another ListenPort, remove it, or stop the program that uses the port",
                                hooked("ListenPort = 4500"),
                                "",
                                lab -> lab.node()
                                        .namespace()
                                        .start(
                                                "python3",
                                                "-u",
                                                "-c",
                                                "import socket,time; s=socket.socket(socket.AF_INET,"
                                                        + "socket.SOCK_DGRAM); s.bind(('0.0.0.0',4500)); print('bound'); time.sleep(600)")
                                        .awaitLine("bound", java.time.Duration.ofSeconds(30)),
                                nothing)
                        .thenUp(Provider::file, ""));
    }
}
