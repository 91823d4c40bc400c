// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import io.culvert.net.Prefix;
import io.culvert.settings.AccountName;
import io.culvert.settings.Login;
import io.culvert.settings.Password;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TinyproxyTest {

    private static final List<InetAddress> TUNNEL =
            List.of(Prefix.parseAddress("10.64.0.2"), Prefix.parseAddress("fd00:64::2"));

    @TempDir
    Path root;

    private Tinyproxy tinyproxy() {
        return new Tinyproxy(root, root.resolve("run/culvert"));
    }

    private static TinyproxySettings settings(List<Prefix> clients, Optional<Login> login) {
        return new TinyproxySettings(8888, TUNNEL, clients, login);
    }

    @Test
    void the_configuration_binds_sessions_to_the_tunnel_and_admits_the_permitted_clients() {
        String text = tinyproxy()
                .configuration(settings(
                        List.of(Prefix.parse("100.64.0.0/10"), Prefix.parse("192.168.7.1/24"), Prefix.parse("::1/128")),
                        Optional.of(new Login(new AccountName("lotte"), Password.parse("sesame-1.2")))));

        assertThat(text)
                .contains("Port 8888\n", "Bind 10.64.0.2\n", "Bind fd00:64::2\n")
                .contains("Allow 100.64.0.0/10\n", "Allow 192.168.7.0/24\n", "Allow ::1/128\n")
                .contains("BasicAuth lotte sesame-1.2\n")
                .doesNotContain("Listen", "ConnectPort");
    }

    @Test
    void without_permitted_clients_it_admits_none() {
        assertThat(tinyproxy().configuration(settings(List.of(), Optional.empty())))
                .contains("Deny ")
                .doesNotContain("Allow ", "BasicAuth");
    }

    @Test
    void without_an_address_of_the_tunnel_there_is_no_configuration() {
        assertThatThrownBy(() -> new TinyproxySettings(8888, List.of(), List.of(), Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void others_cannot_read_the_configuration() throws IOException {
        Path program = root.resolve("usr/bin/tinyproxy");
        Files.createDirectories(program.getParent());
        Files.createFile(program, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));

        ProxyProgram prepared = tinyproxy().prepare(settings(List.of(), Optional.empty()));

        assertThat(prepared.program()).isEqualTo(program);
        assertThat(prepared.args())
                .containsExactly("-d", "-c", prepared.config().toString());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(prepared.config())))
                .matches("rw-[r-]-----");
    }

    @Test
    void a_missing_program_is_an_unmet_requirement() {
        assertThatThrownBy(() -> tinyproxy().prepare(settings(List.of(), Optional.empty())))
                .isInstanceOfSatisfying(
                        ProblemException.class, e -> assertThat(e.exitStatus()).isEqualTo(3))
                .hasMessageContaining("tinyproxy is not installed: none of /usr/bin/tinyproxy");
    }
}
