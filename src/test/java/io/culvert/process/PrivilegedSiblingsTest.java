// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivilegedSiblingsTest {

    private static final String NONE = "0000000000000000";
    private static final String RAW = "0000000000002000";
    private static final String ADMIN = "0000000000001000";

    @TempDir
    private Path proc;

    private void process(long pid, long parent, String name, String capabilities, int network, int mounts) {
        try {
            Path directory = Files.createDirectories(proc.resolve(pid + "/ns"));
            Files.writeString(
                    directory.resolveSibling("status"),
                    "Name:\t" + name + "\nPPid:\t" + parent + "\nCapInh:\t" + NONE + "\nCapPrm:\t" + capabilities
                            + "\nCapEff:\t" + NONE + "\nCapBnd:\t000001ffffffffff\n");
            Files.createSymbolicLink(directory.resolve("net"), Path.of("net:[" + network + "]"));
            Files.createSymbolicLink(directory.resolve("mnt"), Path.of("mnt:[" + mounts + "]"));
            Files.createSymbolicLink(directory.resolveSibling("exe"), Path.of("/usr/bin/" + name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void processes_in_the_same_network_that_can_bypass_the_kill_switch_are_reported() {
        process(1, 0, "pause", NONE, 7, 1);
        process(10, 1, "culvert", ADMIN, 7, 2);
        process(11, 10, "sockd", RAW, 7, 2);
        process(20, 1, "app", RAW, 7, 3);
        process(21, 1, "router", ADMIN, 7, 4);
        process(22, 1, "modest", NONE, 7, 5);
        process(23, 1, "elsewhere", RAW, 8, 6);
        process(30, 1, "culvert", ADMIN, 7, 2);

        assertThat(new PrivilegedSiblings(proc, 30).find())
                .containsExactly(
                        "process 20 (app) shares the network namespace and has CAP_NET_RAW,"
                                + " so it can bypass the kill switch",
                        "process 21 (router) shares the network namespace and has CAP_NET_ADMIN,"
                                + " so it can bypass the kill switch");
    }

    @Test
    void processes_in_culverts_own_container_are_not_reported() {
        process(1, 0, "culvert", ADMIN, 7, 2);
        process(5, 0, "sh", RAW, 7, 2);
        process(6, 5, "culvert", ADMIN, 7, 2);

        assertThat(new PrivilegedSiblings(proc, 1).find()).isEmpty();
        assertThat(new PrivilegedSiblings(proc, 6).find()).isEmpty();
    }

    @Test
    void without_proc_nothing_is_reported() {
        assertThat(new PrivilegedSiblings(proc.resolve("nowhere"), 1).find()).isEmpty();
    }
}
