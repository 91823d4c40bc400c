// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Observer;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.TcpTransfer;
import io.culvert.linux.Mounts;
import io.culvert.net.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Changes of settings and files while the exit node runs. */
@NamespaceTest
class ReloadTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS.providers(2));
    private final Observer observer = fixture.observer;
    private Path settingsFile = Path.of("/");

    @BeforeEach
    void createSettingsFile() {
        settingsFile = Path.of(fixture.lab.node().file("settings.env", "# nothing yet\n"));
    }

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private Map<String, String> settings() {
        return ExitNodeFixture.withoutMesh(
                Map.of("CULVERT_SETTINGS", settingsFile.toString(), "CULVERT_LAN_ALLOW", "none"));
    }

    private void write(String text) {
        fixture.lab.node().file("settings.env", text);
    }

    private CommandResult reload() {
        return fixture.run(Map.of(), "reload");
    }

    @Test
    void a_reload_without_a_change_changes_nothing() {
        RunningProgram culvert = fixture.connect(settings());
        try (TcpTransfer transfer = fixture.transferThroughTunnel()) {
            String before = fixture.footprint();
            culvert.ignoreEarlierOutput();

            CommandResult result = reload();

            assertThat(result.status()).as(result.toString()).isZero();
            assertThat(result.out()).contains("unchanged");
            culvert.signal("HUP");
            culvert.awaitLine("configuration: unchanged \\(SIGHUP\\)", ExitNodeFixture.TIMEOUT);
            assertThat(fixture.footprint()).isEqualTo(before);
            transfer.awaitMore();
            transfer.finish();
        }
        assertThat(culvert.output()).doesNotContain("nftables ruleset reloaded");
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void sighup_reloads_also_where_it_was_ignored_at_the_start() {
        RunningProgram culvert = fixture.lab.node().startUnderNohup(settings(), "up");
        culvert.awaitLine("connected to", ExitNodeFixture.TIMEOUT);

        culvert.signal("HUP");

        culvert.awaitLine("configuration: unchanged \\(SIGHUP\\)", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void a_changed_settings_file_is_applied_while_connections_live() {
        RunningProgram culvert = fixture.connect(settings());
        assertThat(observer.sees(() -> fixture.node.whoami(Family.IPV6)))
                .as("nothing bypasses the tunnel yet")
                .isFalse();
        try (TcpTransfer transfer = fixture.transferThroughTunnel()) {
            write("CULVERT_BYPASS=198.51.100.10\nCULVERT_MTU=1300\nCULVERT_LOG=debug\nCULVERT_PUBLISH=8001\n");
            culvert.awaitLine("configuration: reloaded \\(a file has changed\\)", ExitNodeFixture.TIMEOUT);
            assertThat(reload().out()).contains("unchanged");

            assertThat(fixture.namespace().run("ip", "link", "show", "wg0")).contains("mtu 1300");
            assertThat(observer.sees(
                            () -> assertThat(fixture.node.whoami(Family.IPV4)).contains("192.0.2.10")))
                    .as("the bypass is open")
                    .isTrue();
            ExitNodeFixture.serve(fixture.namespace(), 8001);
            assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.lanHost(), "192.0.2.10", 8001))
                    .as("the published port is open")
                    .isEqualTo("192.0.2.20");
            transfer.awaitMore();

            write("");
            culvert.ignoreEarlierOutput();
            assertThat(reload().status()).isZero();
            observer.reset();
            fixture.assertLocalTrafficUsesTunnel(Family.values());
            assertThat(ExitNodeFixture.clientAddressSeenBy(fixture.lab.lanHost(), "192.0.2.10", 8001))
                    .isEmpty();
            transfer.awaitMore();
            transfer.finish();
        }
    }

    @Test
    void a_broken_file_keeps_the_previous_configuration_and_is_shown_until_it_is_corrected() {
        RunningProgram culvert = fixture.connect(settings());
        String before = fixture.footprint();

        write("CULVERT_DNS=nowhere\nCULVERT_MTU=1300\nCULVERT_PUBLISH=0\n");
        culvert.awaitLine("settings.env:1: CULVERT_DNS", ExitNodeFixture.TIMEOUT);
        CommandResult result = reload();

        assertThat(result.status()).isEqualTo(2);
        assertThat(result.toString())
                .contains("settings.env:1: CULVERT_DNS", "settings.env:3: CULVERT_PUBLISH", "stays in use");
        assertThat(fixture.footprint()).isEqualTo(before);
        assertThat(fixture.status().healthy()).isTrue();
        assertThat(fixture.status().configuration().errors()).hasSize(2);
        fixture.assertLocalTrafficUsesTunnel(Family.values());

        write("CULVERT_DNS=10.64.0.1\n");
        culvert.awaitLine("configuration: reloaded", ExitNodeFixture.TIMEOUT);
        assertThat(reload().status()).isZero();
        assertThat(fixture.status().configuration().errors()).isEmpty();
    }

    @Test
    void what_cannot_be_changed_is_named_and_nothing_is_applied() {
        fixture.connect(settings());
        String before = fixture.footprint();

        write("CULVERT_MARK=0x52000000\nCULVERT_MTU=1300\n");
        CommandResult result = reload();

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.toString()).contains("CULVERT_MARK: cannot be changed while the exit node runs");
        assertThat(fixture.footprint()).isEqualTo(before);
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void the_server_in_use_is_replaced_when_its_file_changes_and_the_next_one_is_used_when_it_is_removed()
            throws IOException {
        Path directory = fixture.lab.node().run().resolveSibling("wireguard");
        RunningProgram culvert = fixture.connect(settings());
        String link = fixture.namespace().run("ip", "-o", "link", "show", "wg0").split(":", 2)[0];
        culvert.ignoreEarlierOutput();

        // As an editor does: a new file that replaces the old one.
        Path draft = Files.writeString(
                directory.resolve(".provider.conf.swp"), fixture.lab.provider(1).file());
        Files.move(draft, directory.resolve("provider.conf"), StandardCopyOption.REPLACE_EXISTING);
        culvert.awaitLine("tunnel: connected to " + fixture.lab.provider(1).publicIpv4(), ExitNodeFixture.TIMEOUT);
        assertThat(fixture.node.whoami(Family.IPV4))
                .contains(fixture.lab.provider(1).publicIpv4());

        fixture.lab.node().wireGuardFile("second.conf", fixture.lab.provider(0).file());
        culvert.awaitLine("configuration: reloaded", ExitNodeFixture.TIMEOUT);
        culvert.ignoreEarlierOutput();
        Files.delete(directory.resolve("provider.conf"));
        culvert.awaitLine("tunnel: connected to " + fixture.lab.provider(0).publicIpv4(), ExitNodeFixture.TIMEOUT);

        assertThat(fixture.status().configuration().files()).containsExactly("second.conf");
        assertThat(fixture.namespace().run("ip", "-o", "link", "show", "wg0")).startsWith(link + ":");
        assertThat(observer.leaks()).isEmpty();
    }

    /** As Kubernetes updates a mounted ConfigMap or Secret. */
    @Test
    void a_file_behind_symbolic_links_is_read_again_when_one_of_them_is_replaced() throws IOException {
        Path mount = Files.createDirectory(
                fixture.lab.node().run().resolveSibling("lib").resolve("config"));
        Files.writeString(
                Files.createDirectory(mount.resolve("..1")).resolve("provider.conf"),
                fixture.lab.provider(0).file());
        Files.writeString(
                Files.createDirectory(mount.resolve("..2")).resolve("provider.conf"),
                fixture.lab.provider(1).file());
        Files.createSymbolicLink(mount.resolve("..data"), Path.of("..1"));
        Files.createSymbolicLink(mount.resolve("provider.conf"), Path.of("..data/provider.conf"));
        Map<String, String> settings = ExitNodeFixture.withoutMesh(Map.of(
                "CULVERT_WIREGUARD_CONFIG", mount.resolve("provider.conf").toString()));
        RunningProgram culvert = fixture.connect(settings);

        for (int number : new int[] {2, 1}) {
            culvert.ignoreEarlierOutput();
            Files.createSymbolicLink(mount.resolve("..data_tmp"), Path.of(".." + number));
            Files.move(mount.resolve("..data_tmp"), mount.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);
            culvert.awaitLine(
                    "tunnel: connected to " + fixture.lab.provider(number - 1).publicIpv4(), ExitNodeFixture.TIMEOUT);
        }
        assertThat(observer.leaks()).isEmpty();
    }

    /** As {@code -v ./provider.conf:/etc/wireguard/provider.conf}: the directory of the mount does not change with the file. */
    @Test
    void a_file_that_is_mounted_alone_is_read_again_when_it_changes() throws IOException {
        Path lib = fixture.lab.node().run().resolveSibling("lib");
        Path source = Files.writeString(
                Files.createDirectory(lib.resolve("source")).resolve("any.conf"),
                fixture.lab.provider(0).file());
        Path directory = Files.createDirectory(lib.resolve("config"));
        Path mounted = Files.createFile(directory.resolve("provider.conf"));
        Mounts.bind(source, mounted);
        try {
            RunningProgram culvert = fixture.connect(
                    ExitNodeFixture.withoutMesh(Map.of("CULVERT_WIREGUARD_CONFIG", directory.toString())));

            Files.writeString(source, fixture.lab.provider(1).file());

            culvert.awaitLine("tunnel: connected to " + fixture.lab.provider(1).publicIpv4(), ExitNodeFixture.TIMEOUT);
            assertThat(observer.leaks()).isEmpty();
        } finally {
            CommandResult.of(List.of("umount", mounted.toString()));
        }
    }

    @Test
    void nothing_leaks_while_the_server_changes_under_traffic() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        RunningProgram culvert = fixture.connect(settings());
        try (ContinuousProbe four = ContinuousProbe.of(fixture.namespace(), Family.IPV4);
                ContinuousProbe six = ContinuousProbe.of(fixture.namespace(), Family.IPV6)) {
            for (int number : new int[] {1, 0, 1}) {
                fixture.lab
                        .node()
                        .wireGuardFile(
                                "provider.conf", fixture.lab.provider(number).file());
                assertThat(reload().status()).isZero();
                four.awaitReply(fixture.lab.provider(number).publicIpv4(), ExitNodeFixture.TIMEOUT);
                six.awaitReply(fixture.lab.provider(number).publicIpv6(), ExitNodeFixture.TIMEOUT);
            }
            assertThat(four.seenAddresses()).doesNotContain("192.0.2.10");
        }
        assertThat(observer.leaks()).isEmpty();
        assertThat(culvert.output()).doesNotContain("error:");
    }
}
