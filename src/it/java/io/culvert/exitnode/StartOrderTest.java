// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static io.culvert.exitnode.ExitNodeFixture.TIMEOUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.LabNode;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** In a container the kill switch is active before any input is read; shown by the system calls of a start. */
@NamespaceTest
class StartOrderTest {

    private static final String CALLS = "openat,socket,connect,sendto,sendmsg";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @TempDir
    Path directory;

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    @Test
    void the_kill_switch_is_active_before_settings_and_names_are_read() throws IOException {
        LabNode node = fixture.lab.node().in(Sandbox.CONTAINER);
        Path trace = directory.resolve("trace");
        node.wireGuardFile("provider.conf", fixture.lab.provider().file());
        Map<String, String> settings =
                Map.of("CULVERT_MESH", "none", "CULVERT_BYPASS_FILE", node.file("bypasses", "198.51.100.2:443"));

        try (RunningProgram culvert = node.startTraced(trace, CALLS, settings, "up")) {
            culvert.awaitLine("kill switch: active", TIMEOUT);
            culvert.signal("TERM");
            culvert.awaitExit(TIMEOUT);
        }

        List<String> calls = Files.readAllLines(trace);
        int active = first(calls, StartOrderTest::changesRuleset);
        assertThat(calls.subList(0, active))
                .noneMatch(call -> call.contains("/etc/wireguard")
                        || call.contains("bypasses")
                        || call.contains("resolv.conf")
                        || call.contains("/etc/hosts"))
                .noneMatch(call -> call.contains("connect(") && call.contains("AF_INET"));
        // A JVM looks up its user's name before it runs the program.
        if ("native".equals(System.getenv("CULVERT_PROGRAM"))) {
            assertThat(calls.subList(0, active))
                    .noneMatch(call -> call.contains("nsswitch") || call.contains("nscd") || call.contains("passwd"));
        }
        assertThat(first(calls, call -> call.contains("provider.conf"))).isGreaterThan(active);
        assertThat(first(calls, call -> call.contains("bypasses"))).isGreaterThan(active);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "--version", "up --help", "plan"})
    void a_command_that_starts_nothing_changes_nothing(String command) throws IOException {
        LabNode node = fixture.lab.node().in(Sandbox.CONTAINER);
        Path trace = directory.resolve("trace");

        try (RunningProgram culvert =
                node.startTraced(trace, CALLS, Map.of("CULVERT_CONTAINER", "true"), command.split(" ", -1))) {
            culvert.awaitExit(TIMEOUT);
        }

        assertThat(Files.readAllLines(trace)).noneMatch(call -> call.contains("NEWCHAIN"));
        assertThat(node.namespace().run("nft", "list", "tables")).doesNotContain("culvert");
    }

    private static boolean changesRuleset(String call) {
        return call.contains("NFT_MSG_NEWCHAIN");
    }

    private static int first(List<String> calls, Predicate<String> wanted) {
        return IntStream.range(0, calls.size())
                .filter(index -> wanted.test(calls.get(index)))
                .findFirst()
                .orElseThrow(() -> new AssertionError("not in the trace:\n" + String.join("\n", calls)));
    }
}
