// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.culvert.net.Family;
import io.culvert.proxies.Dante;
import io.culvert.proxies.DanteSettings;
import io.culvert.rtnl.Machine;
import io.culvert.settings.Catalogue;
import io.culvert.settings.Setting;
import io.culvert.settings.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the settings accept, nothing behind them refuses: unusual values, alone and in pairs. */
class UnusualSettingsTest {

    private static final int PAIRS = 50;

    private static final List<Machine> MACHINES = List.of(
            PlanExamples.DUAL_STACK,
            PlanExamples.machine(Map.of(Family.IPV4, PlanExamples.IPV4), false, true),
            PlanExamples.machine(Map.of(), true, false));

    private static final String FILE = PlanExamples.file(
            "10.64.0.2/32, fd00:64::2/128", "0.0.0.0/0, ::/0", "ListenPort = 65535\nMTU = 68\n", "192.0.2.10:65535");

    /** Each setting with values at the limits of what is accepted. */
    private static final Map<String, List<String>> VALUES = Map.ofEntries(
            Map.entry("CULVERT_WIREGUARD_CONFIG", List.of("/wg0.conf")),
            Map.entry("CULVERT_SERVER_ORDER", List.of("FILE", "latency", "Random")),
            Map.entry("CULVERT_SERVER_RETURN", List.of("OFF", "1s", "168h")),
            Map.entry("CULVERT_PROBE", List.of("0", "Yes")),
            Map.entry("CULVERT_WIREGUARD_IMPLEMENTATION", List.of("KERNEL", "Userspace", "auto")),
            Map.entry("CULVERT_WIREGUARD_MEMORY", List.of("off", "16777216", "1024GIB")),
            Map.entry(
                    "CULVERT_DNS",
                    List.of(
                            "169.254.1.1",
                            "fe80::1",
                            "0.1.2.3 255.255.255.255",
                            "100.100.100.100",
                            "::ffff:192.0.2.1")),
            Map.entry("CULVERT_MTU", List.of("576", "00576", "1279", "65535")),
            Map.entry(
                    "CULVERT_MARK",
                    List.of("1", "0xff", "4294902015", "0x52000000", "0XFF0000FF", "0x20000000", "0x40000000")),
            Map.entry("CULVERT_MESH", List.of("NONE", "tailscale", "wireguard")),
            Map.entry("CULVERT_MESH_CONFIG", List.of("/mesh.conf")),
            Map.entry("CULVERT_MESH_NODE", List.of("_nas", "0", "a.b_c-d", "n".repeat(63) + ".example")),
            Map.entry("CULVERT_WITHDRAW_AFTER", List.of("OFF", "1s", "168h")),
            Map.entry("CULVERT_SOCKS", List.of("1", "On")),
            Map.entry("CULVERT_SOCKS_PORT", List.of("1", "65535", "000053")),
            Map.entry("CULVERT_SOCKS_UDP_PORTS", List.of("none", "NONE", "65535", "65472 - 65535", "1-64", "1080")),
            Map.entry("CULVERT_SOCKS_CONFIG", List.of("/wg0.conf")),
            Map.entry("CULVERT_HTTP_PROXY", List.of("1", "On")),
            Map.entry("CULVERT_HTTP_PROXY_PORT", List.of("1", "65535", "000080", "1080")),
            Map.entry(
                    "CULVERT_SOCKS_ALLOW",
                    List.of(
                            "0.0.0.0/0 ::/0",
                            "0.0.0.0/1,128.0.0.0/1",
                            "224.0.0.1",
                            "::",
                            "fe80::/10",
                            "::ffff:0:0/96")),
            Map.entry("CULVERT_GATEWAY", List.of("1", "On")),
            Map.entry(
                    "CULVERT_GATEWAY_CLIENTS",
                    List.of(
                            "192.168.7.0/24",
                            "0.0.0.0/3",
                            "127.0.0.1",
                            "192.0.2.10",
                            "10.64.0.2",
                            "fe80::/10",
                            "100.64.0.0/10 fd00::/8",
                            "224.0.0.1 ::1")),
            Map.entry("CULVERT_SOCKS_USER", List.of("Anna", "_", "A-_0", "Z".repeat(32))),
            Map.entry("CULVERT_SOCKS_PASSWORD", List.of(":", "ä", "\"'\\$`", "p".repeat(255))),
            Map.entry("TSWG_SOCKD_TIMEIN", List.of("99")),
            Map.entry(
                    "CULVERT_BYPASS",
                    List.of(
                            "203.0.113.7:65535",
                            "[fe80::1]:1/udp",
                            "203.0.113.0/25/TCP",
                            "host:65535",
                            "a_b.example.:53",
                            "127.0.0.1",
                            "::1",
                            "224.0.0.1:5353/udp",
                            "255.255.255.255",
                            "0.0.0.0/3",
                            "10.64.0.2",
                            "::ffff:192.0.2.1",
                            "192.0.2.10:65535/udp",
                            "100.64.0.0/10",
                            "8000::/1")),
            Map.entry("CULVERT_PUBLISH", List.of("1 65535 65535/UDP", "53/udp", "1080", "51820/udp", "1/tcp,1/tcp")),
            Map.entry(
                    "CULVERT_LAN_ALLOW",
                    List.of(
                            "NONE",
                            "Auto",
                            "AUTO 127.0.0.0/8",
                            "0.0.0.0/3",
                            "10.64.0.2",
                            "::1",
                            "ff00::/8",
                            "224.0.0.0/4",
                            "192.168.7.0/24 192.168.7.2",
                            "100.64.0.0/10",
                            "fc00::/7, 8000::/1")),
            Map.entry("CULVERT_FORWARDED_PORT", List.of("NO", "True", "NAT-PMP", "Pcp", "1", "65535")),
            Map.entry("CULVERT_FORWARDED_PORT_GATEWAY", List.of("255.255.255.255", "10.64.0.2", "192.0.2.10")),
            Map.entry("CULVERT_FORWARDED_PORT_PATH", List.of("/run/culvert/port")),
            Map.entry(
                    "CULVERT_HTTP",
                    List.of(
                            "127.0.0.1:1",
                            "[::1]:65535",
                            "mesh:8000",
                            "unix:/run/culvert/http.sock",
                            "127.0.0.1:8000, mesh:8000")),
            Map.entry("CULVERT_HTTP_TOKEN", List.of("0123456789abcdef", "~".repeat(200))),
            Map.entry("CULVERT_SETTINGS", List.of("/settings.env")),
            Map.entry("CULVERT_CONTAINER", List.of("YES", "auto", "0")),
            Map.entry("CULVERT_LEAK_TEST", List.of("ON", "off")),
            Map.entry("CULVERT_LOG", List.of("DEBUG", "Error")),
            Map.entry(
                    "TS_ROUTES",
                    List.of("0.0.0.0/1", "10.0.0.0/8,fd00::/8", "127.0.0.0/8", "192.168.7.2/32", "8000::/1")),
            Map.entry(
                    "TS_TAILSCALED_EXTRA_ARGS",
                    List.of("--tun=a=+.-_b", "--port=65535", "--port=0", "--tun=...", "--tun=0")),
            Map.entry("TS_SOCKS5_SERVER", List.of(":65535", "0.0.0.0:1", "[::]:00080")),
            Map.entry(
                    "TS_EXTRA_ARGS",
                    List.of(
                            "--login-server=http://hs_1.example:65535",
                            "--accept-routes --netfilter-mode=off",
                            "--login-server=https://[2001:db8::1]")),
            Map.entry("PORT", List.of("65535", "0")));

    /** A setting and a value of it. */
    private record Given(String name, String text) {}

    @Test
    void every_setting_is_among_the_examples() {
        assertThat(Catalogue.all()).extracting(Setting::name).isSubsetOf(VALUES.keySet());
    }

    @Test
    void each_accepted_value_is_planned() {
        Set<String> planned = new HashSet<>();
        all().forEach(given -> accepted(with(given)).ifPresent(settings -> {
            assertPlanned(settings, given.toString());
            planned.add(given.name());
        }));

        assertThat(planned).isEqualTo(VALUES.keySet());
    }

    @Test
    void accepted_pairs_of_values_are_planned() {
        List<Given> all = all().toList();
        Random random = new Random(1);
        for (int i = 0; i < PAIRS; i++) {
            List<Given> pair = new ArrayList<>(with(all.get(random.nextInt(all.size()))));
            pair.addAll(with(all.get(random.nextInt(all.size()))));
            accepted(pair).ifPresent(settings -> assertPlanned(settings, pair.toString()));
        }
    }

    private static Stream<Given> all() {
        return VALUES.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .flatMap(entry -> entry.getValue().stream().map(text -> new Given(entry.getKey(), text)));
    }

    /** Returns a value with the others that it has an effect with. */
    private static List<Given> with(Given given) {
        List<Given> all = new ArrayList<>();
        if (given.name().startsWith("TS_") || given.name().equals("PORT")) {
            all.add(new Given("CULVERT_MESH", "tailscale"));
        }
        if (given.name().equals("CULVERT_MESH_CONFIG")
                || given.name().equals("CULVERT_MESH_NODE")
                || given.text().equals("wireguard")) {
            all.add(new Given("CULVERT_MESH", "wireguard"));
            all.add(new Given("CULVERT_MESH_CONFIG", "/mesh.conf"));
        }
        if (given.name().startsWith("CULVERT_GATEWAY")) {
            all.add(new Given("CULVERT_GATEWAY", "true"));
            all.add(new Given("CULVERT_GATEWAY_CLIENTS", "192.168.7.0/24"));
        }
        if (given.name().startsWith("CULVERT_SOCKS")) {
            all.add(new Given("CULVERT_SOCKS", "true"));
            all.add(new Given("CULVERT_SOCKS_USER", "anna"));
            all.add(new Given("CULVERT_SOCKS_PASSWORD", "sesame"));
        }
        all.add(given);
        return all;
    }

    private static Optional<Settings> accepted(List<Given> given) {
        return PlanExamples.accepted(given.stream()
                        .flatMap(it -> Stream.of(it.name(), it.text()))
                        .toArray(String[]::new))
                .filter(settings -> ExitNodeChecks.checkSettings(settings).stream()
                        .noneMatch(problem -> problem.kind().isError()));
    }

    private static void assertPlanned(Settings settings, String description) {
        for (Machine machine : MACHINES) {
            assertThatCode(() -> plan(settings, machine)).as(description).doesNotThrowAnyException();
        }
    }

    private static void plan(Settings settings, Machine machine) {
        OptionalInt port =
                settings.socks().enabled() ? OptionalInt.of(settings.socks().port()) : OptionalInt.empty();
        ExitNodeChecks.checkServer(Path.of("wg0.conf"), PlanExamples.config(FILE), settings);
        PlanText.of(PlanExamples.inputs(settings, FILE, machine, port)).text();
        Dante.configuration(new DanteSettings(
                settings.socks().port(),
                "wg0",
                true,
                settings.socks().allow(),
                ExitNodePlanner.lan(settings, machine),
                List.of(),
                Optional.of(settings.socks().udpPorts().toString()),
                settings.socks().login()));
    }
}
