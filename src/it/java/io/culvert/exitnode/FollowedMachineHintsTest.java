// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.diagnostics.Hints;
import io.culvert.lab.Lab;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/** Each hint about the machine or the container is correct, in both wordings. */
@NamespaceTest
public class FollowedMachineHintsTest extends CheckedHints {

    /** For HintCoverageTest. */
    public static Stream<FollowedHint> hints() {
        return of(rows());
    }

    private static final Sandbox CONTAINER = Sandbox.CONTAINER;
    private static final Sandbox MACHINE = Sandbox.MACHINE;

    /** A machine whose /proc/sys is read-only, as with systemd's ProtectKernelTunables=. */
    private static final Map<String, String> AS_MACHINE = Map.of("CULVERT_CONTAINER", "false");

    private static final Map<String, String> USERSPACE = Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace");

    private static Stream<Row> rows() {
        return Stream.of(privileges(), otherProcesses(), sysctls(), networks(), files())
                .flatMap(rows -> rows);
    }

    private static Stream<Row> privileges() {
        Sandbox unprivileged = MACHINE.with(CONTAINER.without("net_admin").capabilities());
        return Stream.of(
                sameHint("requirements", Hints.CONTAINER.netAdmin(), in(CONTAINER.without("net_admin")), in(CONTAINER)),
                sameHint("requirements", Hints.MACHINE.netAdmin(), in(unprivileged), in(MACHINE)),
                sameHint(
                        "requirements",
                        Hints.CONTAINER.tunDevice(),
                        in(CONTAINER.withoutTun(), USERSPACE),
                        in(CONTAINER, USERSPACE)),
                sameHint(
                        "requirements",
                        Hints.MACHINE.tunDevice(),
                        in(MACHINE.withoutTun(), USERSPACE),
                        in(MACHINE, USERSPACE)),
                sameHint(
                        "wireguard/device",
                        Hints.CONTAINER.makeWritable("/run"),
                        in(CONTAINER.withReadOnlyRun(), USERSPACE),
                        in(CONTAINER, USERSPACE)),
                sameHint(
                        "wireguard/device",
                        Hints.MACHINE.makeWritable("/run"),
                        in(MACHINE.withReadOnlyRun(), USERSPACE),
                        in(MACHINE, USERSPACE)),
                row(
                        "nft",
                        Hints.CONTAINER.netAdmin() + ", in a network namespace of its own",
                        Hints.CONTAINER.netAdmin(),
                        in(CONTAINER.with(Sandbox.Nft.REFUSED)),
                        in(CONTAINER)),
                sameHint(
                        "nft",
                        "run on a Linux kernel with nf_tables (CONFIG_NF_TABLES); sandboxes such as gVisor lack it",
                        in(CONTAINER.with(Sandbox.Nft.ABSENT)),
                        in(CONTAINER)));
    }

    private static Row sameHint(String area, String hint, Run faulty, Run repaired) {
        return row(area, hint, hint, faulty, repaired);
    }

    /** As the hints instruct: with 'setpriv', and as an engine drops capabilities. */
    private static Stream<Row> otherProcesses() {
        return Stream.of(
                otherProcess(Hints.MACHINE.dropCapabilities(), "false", "-net_raw,-net_admin"),
                otherProcess(Hints.CONTAINER.dropCapabilities(), "true", "-all"));
    }

    private static Row otherProcess(String hint, String container, String bounds) {
        Run run = in(MACHINE, Map.of("CULVERT_CONTAINER", container));
        AtomicReference<RunningProgram> otherProcess = new AtomicReference<>();
        return row(
                "exitnode",
                hint,
                hint,
                run,
                fixture -> otherProcess.set(fixture.namespace().start("sleep", "600")),
                fixture -> {
                    otherProcess.get().close();
                    RunningProgram restarted = fixture.namespace()
                            .start("setpriv", "--bounding-set", bounds, "sh", "-c", "echo runs; exec sleep 600");
                    restarted.awaitLine("runs", ExitNodeFixture.TIMEOUT);
                },
                run);
    }

    private static Stream<Row> sysctls() {
        String off4 = "net.ipv4.ip_forward";
        String off6 = "net.ipv6.conf.all.forwarding";
        Consumer<ExitNodeFixture> withoutIpv6Route = fixture -> {
            fixture.namespace().sysctl("net.ipv6.conf.eth0.accept_ra=1");
            fixture.namespace().ip("route delete default via " + Lab.ROUTER_IPV6);
        };
        Stream<Row> ipv6 = Stream.of(
                row(
                                "plan",
                                Hints.CONTAINER.enableIpv6() + "; or delete the IPv6 addresses from the file",
                                Hints.CONTAINER.enableIpv6(),
                                in(CONTAINER),
                                fixture -> fixture.namespace().sysctl("net.ipv6.conf.default.disable_ipv6=1"),
                                _ -> {},
                                in(CONTAINER))
                        .withCommandFromHint("--sysctl \\S+ --sysctl ([^;)]+)\\);", "sysctl -w %s"),
                row(
                                "plan",
                                Hints.MACHINE.enableIpv6() + "; or delete the IPv6 addresses from the file",
                                Hints.MACHINE.enableIpv6(),
                                in(CONTAINER, AS_MACHINE),
                                fixture -> fixture.namespace().sysctl("net.ipv6.conf.default.disable_ipv6=1"),
                                _ -> {},
                                in(CONTAINER, AS_MACHINE))
                        .withCommandFromHint("sudo (sysctl -w [^;]+);", "%s"),
                row(
                                "exitnode",
                                Hints.MACHINE.routerAdvertisements("eth0")
                                        + ", or do not set net.ipv6.conf.all.forwarding",
                                Hints.MACHINE.routerAdvertisements("eth0"),
                                in(MACHINE),
                                withoutIpv6Route,
                                _ -> {},
                                in(MACHINE))
                        .withCommandFromHint("sudo (sysctl -w [^,]+),", "%s"),
                row(
                        "exitnode",
                        Hints.CONTAINER.routerAdvertisements("eth0") + ", or do not set net.ipv6.conf.all.forwarding",
                        Hints.CONTAINER.routerAdvertisements("eth0"),
                        in(CONTAINER),
                        fixture -> fixture.namespace().sysctl("net.ipv6.conf.eth0.accept_ra=1"),
                        ip("route add default via " + Lab.ROUTER_IPV6 + " dev eth0"),
                        in(CONTAINER)));
        Stream<Row> forwarding = Stream.of(off4, off6)
                .flatMap(name -> Stream.of(
                        row(
                                        "exitnode",
                                        Hints.CONTAINER.sysctl(name, "1"),
                                        Hints.CONTAINER.sysctl(name, "1"),
                                        in(CONTAINER),
                                        fixture -> fixture.namespace().sysctl(name + "=0"),
                                        _ -> {},
                                        in(CONTAINER))
                                .withCommandFromHint("--sysctl ([^)]+)", "sysctl -w %s"),
                        row(
                                        "exitnode",
                                        Hints.MACHINE.sysctl(name, "1"),
                                        Hints.MACHINE.sysctl(name, "1"),
                                        in(CONTAINER, AS_MACHINE),
                                        fixture -> fixture.namespace().sysctl(name + "=0"),
                                        _ -> {},
                                        in(CONTAINER, AS_MACHINE))
                                .withCommandFromHint("sudo (sysctl -w \\S+)", "%s")));
        return Stream.concat(ipv6, forwarding);
    }

    private static Stream<Row> networks() {
        String away4 = "route delete default via " + Lab.ROUTER_IPV4;
        String back4 = "route add default via " + Lab.ROUTER_IPV4 + " dev eth0";
        String away6 = "route delete default via " + Lab.ROUTER_IPV6;
        String back6 = "route add default via " + Lab.ROUTER_IPV6 + " dev eth0";
        String later = "; the tunnel connects when a route to its server appears";
        return Stream.of(Hints.CONTAINER, Hints.MACHINE).flatMap(hints -> {
            Run run = hints == Hints.CONTAINER ? in(CONTAINER) : in(MACHINE);
            return Stream.of(
                    row(
                            "requirements",
                            hints.defaultRoute() + later,
                            hints.defaultRoute(),
                            run,
                            ip(away4, away6),
                            ip(back4, back6),
                            run),
                    row(
                            "exitnode",
                            hints.defaultRoute() + " for IPv4, or use a file whose server has an IPv6 address",
                            hints.defaultRoute(),
                            run,
                            ip(away4),
                            ip(back4),
                            run),
                    row(
                            "exitnode",
                            hints.ipv6Network() + ", or use a file whose server has an IPv4 address",
                            hints.ipv6Network(),
                            run,
                            fixture -> {
                                fixture.configureEndpoint(
                                        "[" + fixture.lab.provider().publicIpv6() + "]:51820");
                                fixture.namespace().ip(away6);
                            },
                            fixture -> {
                                fixture.namespace().ip(back6);
                            },
                            run),
                    row(
                            "exitnode",
                            hints.ipv6Network() + ", or use a file whose server has an IPv4 address",
                            hints.ipv6Network(),
                            run,
                            ip(away6),
                            fixture -> {
                                fixture.lab
                                        .node()
                                        .wireGuardFile(
                                                "provider.conf",
                                                fixture.lab.provider().file());
                                fixture.namespace().ip(back6);
                            },
                            run),
                    row(
                            "plan",
                            hints.otherSubnet(),
                            hints.otherSubnet(),
                            run,
                            ip("address add 10.64.0.2/24 dev eth0"),
                            ip("address delete 10.64.0.2/24 dev eth0", "address replace 192.168.90.2/24 dev eth0"),
                            run),
                    row(
                            "exitnode",
                            "remove it with the program that created it (wg-quick down wg0), or "
                                    + hints.separateNamespace(),
                            hints.separateNamespace(),
                            run,
                            ip("link add wg0 type bridge"),
                            ip("link delete wg0"),
                            run));
        });
    }

    private static Consumer<ExitNodeFixture> file(Function<ExitNodeFixture, String> text) {
        return fixture -> fixture.lab.node().wireGuardFile("provider.conf", text.apply(fixture));
    }

    private static Row file(
            String hint,
            Map<String, String> faulty,
            Function<ExitNodeFixture, String> text,
            Map<String, String> repaired) {
        return row(
                "plan",
                hint,
                hint,
                in(CONTAINER, faulty),
                file(text),
                file(fixture -> fixture.lab.provider().file()),
                in(CONTAINER, repaired));
    }

    private static Row setting(String hint, Map<String, String> faulty, Map<String, String> repaired) {
        return row("plan", hint, hint, in(CONTAINER, faulty), in(CONTAINER, repaired));
    }

    private static Stream<Row> files() {
        Map<String, String> usual = Map.of();
        String mtu =
                "set an MTU of 1280 or more if the path allows it (MTU in the file; for the tunnel of 'culvert up' also"
                        + " CULVERT_MTU), or delete the IPv6 addresses from the file";
        return Stream.of(
                file(
                        "set Endpoint to the server's public address, or Address to this machine's own",
                        usual,
                        fixture -> fixture.lab.provider().file("10.64.0.2:51820", "0.0.0.0/0, ::/0"),
                        usual),
                file(
                        "set Endpoint to the server's address, unless such a program forwards the packets",
                        usual,
                        fixture -> fixture.lab.provider().file(Lab.NODE_IPV4 + ":51820", "0.0.0.0/0, ::/0"),
                        usual),
                setting(
                        "use a server that is reachable through the tunnel: CULVERT_DNS=9.9.9.9",
                        Map.of("CULVERT_DNS", Lab.NODE_IPV4),
                        Map.of("CULVERT_DNS", "9.9.9.9")),
                setting(
                        "use a server that is reachable through the tunnel, unless the provider has this one:"
                                + " CULVERT_DNS=9.9.9.9",
                        Map.of("CULVERT_DNS", "192.0.2.20"),
                        Map.of("CULVERT_DNS", "9.9.9.9")),
                file(
                        "add it to AllowedIPs, or set CULVERT_DNS to a server that is in AllowedIPs",
                        Map.of("CULVERT_DNS", "9.9.9.9"),
                        fixture -> fixture.lab
                                .provider()
                                .file(fixture.lab.provider().publicIpv4() + ":51820", "198.51.100.0/24"),
                        Map.of("CULVERT_DNS", "9.9.9.9")),
                setting(
                        "list the local networks only, such as 192.168.1.0/24",
                        Map.of("CULVERT_LAN_ALLOW", "10.64.0.0/16"),
                        Map.of("CULVERT_LAN_ALLOW", "192.168.1.0/24")),
                setting(mtu, Map.of("CULVERT_MTU", "1200"), Map.of("CULVERT_MTU", "1280")),
                row(
                        "requirements",
                        Hints.CONTAINER.loadModule("wireguard") + ", or set CULVERT_WIREGUARD_IMPLEMENTATION=auto",
                        Hints.CONTAINER.loadModule("wireguard"),
                        in(CONTAINER, Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "kernel")),
                        in(CONTAINER, Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "auto"))),
                row(
                        "requirements",
                        Hints.MACHINE.loadModule("wireguard") + ", or set CULVERT_WIREGUARD_IMPLEMENTATION=auto",
                        Hints.MACHINE.loadModule("wireguard"),
                        in(MACHINE, Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "kernel")),
                        in(MACHINE, Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "auto"))));
    }
}
