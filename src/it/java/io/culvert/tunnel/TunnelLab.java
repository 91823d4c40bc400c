// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabNode;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Sandbox;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A lab machine on which tunnels are brought up by the program under test, and by wg-quick for comparison. */
final class TunnelLab implements AutoCloseable {

    private static final String PROGRAM = System.getProperty(
            "culvert.program", Path.of("culvert").toAbsolutePath().toString());

    private final Lab lab;
    private final LabNode node;
    private final String path;

    TunnelLab(LabOptions shape) {
        this.lab = Lab.open(shape);
        this.node = lab.node().in(Sandbox.MACHINE);
        // wg-quick's DNS= needs a resolvconf; this one writes its input to resolv.conf.
        String resolvconf = node.file("resolvconf", """
                #!/bin/sh
                [ "$1" = -a ] && cp /etc/resolv.conf /run/resolv.conf.before && cat > /etc/resolv.conf
                [ "$1" = -d ] && cat /run/resolv.conf.before > /etc/resolv.conf
                exit 0
                """);
        node.attempt("chmod", "+x", resolvconf).outputOrFail();
        this.path = resolvconf.substring(0, resolvconf.lastIndexOf('/')) + ":" + System.getenv("PATH");
    }

    Lab lab() {
        return lab;
    }

    LabNode node() {
        return node;
    }

    /** Creates a file and returns its path. */
    String file(String name, String text) {
        return node.file(name, text);
    }

    /** Runs {@code culvert tunnel} with these arguments. */
    CommandResult tunnel(String... arguments) {
        return node.run(
                Map.of(),
                Stream.concat(Stream.of("tunnel"), Arrays.stream(arguments)).toArray(String[]::new));
    }

    /** Runs {@code culvert tunnel} where the kernel's parameters are hidden, as some sandboxes do. */
    CommandResult tunnelWithHiddenSysctls(String... arguments) {
        return node.attempt(Stream.concat(
                        Stream.of(
                                "env",
                                "CULVERT_CONTAINER=false",
                                "sh",
                                "-c",
                                "mount -t tmpfs none /proc/sys && exec \"$@\"",
                                "sh",
                                PROGRAM,
                                "tunnel"),
                        Arrays.stream(arguments))
                .toArray(String[]::new));
    }

    CommandResult wgQuick(String... arguments) {
        return node.attempt(Stream.concat(Stream.of("env", "PATH=" + path, "wg-quick"), Arrays.stream(arguments))
                .toArray(String[]::new));
    }

    /** Returns routes, rules and DNS settings in a form that does not depend on the program that configured them. */
    String normalizedState(String... links) {
        StringBuilder text = new StringBuilder();
        for (String link : links) {
            text.append(ip("-o", "link", "show", "dev", link).replaceAll("(?s).*?(<\\S+> mtu \\d+).*", "$1\n"));
            text.append(lines(ip("-o", "addr", "show", "dev", link)
                    .replaceAll("(?m)^\\d+: ", "")
                    .replaceAll("( nodad)?\\s*\\\\.*", "")
                    // Random.
                    .replaceAll("fe80::\\S+", "fe80::")
                    // Culvert's routes have a worse metric than those of connected networks.
                    .replaceAll(" metric 51820", "")));
            text.append(node.attempt("wg", "show", link, "fwmark").out().replaceAll("0x[0-9a-f]+", "MARK"));
        }
        for (String family : List.of("-4", "-6")) {
            text.append(lines(ip(family, "route", "show", "table", "all")
                    .lines()
                    .filter(line -> !line.contains("table local"))
                    .map(line -> line.replaceAll("table \\d{4,}", "table MARK").replaceAll("(proto|scope) \\S+ ?", ""))
                    // As above.
                    .map(line -> line.replaceAll(" metric (51820|1024|256)", ""))
                    .collect(Collectors.joining("\n"))));
            text.append(ip(family, "rule")
                    .replaceAll("(?m)^\\d+:\\s+", "")
                    .replaceAll("(fwmark|lookup) (0x[0-9a-f/x]{4,}|\\d{4,})", "$1 MARK")
                    .replaceAll(" proto \\S+", ""));
        }
        node.resolvConf()
                .lines()
                .filter(line -> line.matches("(nameserver|search) .*"))
                .forEach(line -> text.append(line).append('\n'));
        return text.toString().replaceAll("(?m)[ \t]+$", "");
    }

    /** Returns everything that a tunnel may leave behind or must not change. */
    String footprint() {
        return ip("-o", "link").replaceAll("qdisc \\S+", "")
                + lines(ip("-o", "addr"))
                + lines(ip("-4", "route", "show", "table", "all"))
                + lines(ip("-6", "route", "show", "table", "all"))
                + ip("-4", "rule")
                + ip("-6", "rule")
                + node.attempt("nft", "list", "ruleset").outputOrFail()
                + node.resolvConf()
                + node.attempt("ls", "/run/wireguard").out()
                + programs();
    }

    /** Returns the names of the programs that run in the node. */
    List<String> programs() {
        return pids().map(pid -> CommandResult.of(List.of("cat", "/proc/" + pid + "/comm"))
                        .out()
                        .strip())
                .sorted()
                .toList();
    }

    /** Kills the userspace WireGuard of an interface with SIGKILL; the interface is removed with it. */
    void killUserspace(String link) {
        List<ProcessHandle> programs = pids().flatMap(pid -> ProcessHandle.of(pid).stream())
                .filter(program -> program.info()
                        .commandLine()
                        .filter(line -> line.matches(".*wireguard-go (-f )?" + link))
                        .isPresent())
                .toList();
        assertThat(programs).hasSize(1);
        programs.forEach(ProcessHandle::destroyForcibly);
        programs.forEach(program -> assertThat(program.onExit()).succeedsWithin(Duration.ofSeconds(10)));
    }

    private Stream<Long> pids() {
        return CommandResult.of(List.of("ip", "netns", "pids", node.namespace().name()))
                .outputOrFail()
                .lines()
                .map(Long::valueOf);
    }

    String ip(String... arguments) {
        return node.attempt(
                        Stream.concat(Stream.of("ip"), Arrays.stream(arguments)).toArray(String[]::new))
                .outputOrFail();
    }

    private static String lines(String text) {
        return text.lines().map(String::strip).sorted().collect(Collectors.joining("\n", "", "\n"));
    }

    @Override
    public void close() {
        lab.close();
    }
}
