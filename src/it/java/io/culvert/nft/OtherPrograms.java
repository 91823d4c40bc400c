// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The rulesets that other programs make on their own, shortened. */
final class OtherPrograms {

    /** What each of them must contain, by the kernel's names of expressions. */
    private static final Map<String, List<String>> EXPRESSIONS = Map.of(
            "docker", List.of("match", "target", "counter", "immediate"),
            "tailscale", List.of("target", "payload", "bitwise", "cmp"),
            "podman", List.of("payload", "lookup", "masq", "nat", "bitwise"),
            "kube-proxy", List.of("lookup", "numgen", "nat", "dynset"));

    private OtherPrograms() {}

    static List<String> expressions(String program) {
        return Objects.requireNonNull(EXPRESSIONS.get(program));
    }

    static boolean isIptables(String program) {
        return expressions(program).contains("target");
    }

    static String ruleset(String program) {
        String name = program + (isIptables(program) ? ".iptables" : ".nft");
        try (InputStream resource = OtherPrograms.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(resource, name).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
