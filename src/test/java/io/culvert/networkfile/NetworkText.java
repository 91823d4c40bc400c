// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Problem;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Builds network files for tests. */
final class NetworkText {

    static final Path FILE = Path.of("/etc/culvert/network.yaml");

    private static final Map<Integer, String> KEYS = new ConcurrentHashMap<>();

    private NetworkText() {}

    /** Returns the topology; fails if there are any problems. */
    static Topology topology(String text) {
        NetworkFile.Parsed parsed = NetworkFile.parse(FILE, text);
        assertThat(parsed.problems().stream().filter(it -> it.kind().isError())).isEmpty();
        return parsed.topology().orElseThrow();
    }

    static NodeView node(String text, String name) {
        return topology(text).node(name).orElseThrow();
    }

    /** Returns the problems as they are shown to the user. */
    static List<String> problems(String text) {
        return NetworkFile.parse(FILE, text).problems().stream()
                .map(Problem::toString)
                .toList();
    }

    /** Returns a public key for a number. */
    static String key(int number) {
        return KEYS.computeIfAbsent(number, NetworkText::newKey);
    }

    private static String newKey(int number) {
        byte[] bytes = new byte[32];
        bytes[3] = (byte) number;
        bytes[4] = (byte) (number >> 8);
        bytes[5] = 1;
        return KeyGenerator.publicOf(new SecretKey(bytes)).toString();
    }

    /** Returns the entry of a peer in one subnet, with more keys in flow style, such as {@code exit: true}. */
    static String peer(String name, int number, String subnets, String more) {
        return "  - {name: " + name + ", publicKey: " + key(number) + ", privateKeyFile: /etc/wg-key, subnets: {"
                + subnets + "}" + (more.isEmpty() ? "" : ", " + more) + "}\n";
    }
}
