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
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DanteTest {

    private static final List<Prefix> CLIENTS =
            List.of(Prefix.parse("100.64.0.0/10"), Prefix.parse("127.0.0.0/8"), Prefix.parse("::1/128"));

    private static final Login LOTTE = new Login(new AccountName("lotte"), Password.parse("sesame"));

    @TempDir
    Path root;

    @Test
    void the_configuration_uses_the_tunnel_and_admits_the_permitted_clients() {
        String text = Dante.configuration(settings(true, Optional.empty()));

        assertThat(text)
                .contains("internal: 0.0.0.0 port = 1080\ninternal: :: port = 1080\n")
                .containsOnlyOnce("external: ")
                .contains("external: wg0\n")
                .contains("socksmethod: none\n")
                .contains("client pass {\n    from: 100.64.0.0/10 to: 0/0\n")
                .contains("socks block {\n    from: 0/0 to: 127.0.0.0/8\n")
                .contains("socks block {\n    from: 0/0 to: 198.51.100.0/24\n")
                .doesNotContain("${");
        assertThat(SockdFile.check(Path.of("own"), text, "wg0", List.of(), 1).port())
                .isEqualTo(1080);
    }

    @Test
    void without_ipv6_the_proxy_does_not_listen_on_it() {
        assertThat(Dante.configuration(settings(false, Optional.empty()))).doesNotContain("internal: ::");
    }

    @Test
    void the_program_has_an_absolute_path_and_its_files_are_written() throws IOException {
        Path danted = install("usr/sbin/danted");

        ProxyProgram program = dante().prepare(settings(true, Optional.empty()));

        assertThat(program.program()).isEqualTo(danted);
        assertThat(program.args()).startsWith("-f", program.config().toString());
        assertThat(program.readyText()).contains(" running");
        assertThat(program.config()).hasContent(Dante.configuration(settings(true, Optional.empty())));
    }

    @Test
    void a_missing_program_is_an_unmet_requirement() {
        assertThatThrownBy(() -> dante().prepare(settings(true, Optional.empty())))
                .isInstanceOfSatisfying(
                        ProblemException.class, e -> assertThat(e.exitStatus()).isEqualTo(3))
                .hasMessageContaining("none of /usr/sbin/danted, /usr/sbin/sockd, /usr/bin/sockd exists");
    }

    @Test
    void a_login_adds_a_shadow_line_that_is_removed_at_the_end() throws IOException {
        install("usr/sbin/sockd");
        Path shadow = shadow("root:*:19000:0:99999:7:::\n");
        DanteSettings settings = settings(true, Optional.of(LOTTE));

        ProxyProgram program = dante().prepare(settings);
        dante().prepare(settings);

        assertThat(shadow).content().containsPattern("(?s)\\Aroot:[^\n]*\nlotte:\\$6\\$[^:]+:::::::51820\n\\z");
        assertThat(shadow).content().doesNotContain("sesame");
        assertThat(program.config())
                .content()
                .contains("socksmethod: username\n")
                .contains("    user: lotte\n")
                .doesNotContain("sesame");
        assertThat(dante().cleanUp(settings)).isEmpty();
        assertThat(shadow).hasContent("root:*:19000:0:99999:7:::\n");
    }

    @Test
    void an_existing_system_user_is_rejected() throws IOException {
        install("usr/sbin/sockd");
        shadow("lotte:*:19000:0:99999:7:::\n");

        assertThatThrownBy(() -> dante().prepare(settings(true, Optional.of(LOTTE))))
                .hasMessageContaining("'lotte' already exists as a user of this system");
    }

    @Test
    void passwords_are_not_printed() {
        assertThat(settings(true, Optional.of(LOTTE)).toString()).doesNotContain("sesame");
    }

    private Dante dante() {
        return new Dante(root, root.resolve("run/culvert"));
    }

    private static DanteSettings settings(boolean ipv6, Optional<Login> login) {
        return new DanteSettings(
                1080,
                "wg0",
                ipv6,
                CLIENTS,
                List.of(Prefix.parse("198.51.100.7/24"), Prefix.parse("2001:db8::/32")),
                List.of(),
                Optional.empty(),
                login);
    }

    private Path install(String program) throws IOException {
        Path path = root.resolve(program);
        Files.createDirectories(path.getParent());
        return Files.createFile(
                path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    }

    private Path shadow(String text) throws IOException {
        Path shadow = root.resolve("etc/shadow");
        Files.createDirectories(shadow.getParent());
        return Files.writeString(shadow, text);
    }
}
