// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.diagnostics.ProblemException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SockdFileTest {

    private static final Path PATH = Path.of("/etc/sockd.conf");
    private static final List<InetAddress> OWN =
            List.of(InetAddress.ofLiteral("10.64.0.2"), InetAddress.ofLiteral("fd64::2"));

    @Test
    void a_file_for_tswg_works_unchanged() {
        SockdFile file = check("""
                logoutput: stdout
                internal.protocol: ipv4 ipv6
                internal: tailscale0 port=TSWG_DANTE_PORT
                external.protocol: ipv4 ipv6
                external: TSWG_DANTE_EXTERNAL
                socksmethod: none
                clientmethod: none
                client pass { from: 0/0 to: 0/0 }
                """);

        assertThat(file.port()).isEqualTo(1081);
        assertThat(file.internals()).containsExactly("tailscale0");
        assertThat(file.logsToStandardOutput()).isTrue();
        assertThat(file.text()).contains("internal: tailscale0 port=1081").contains("external: wg0\n");
    }

    @Test
    void the_port_in_the_file_overrides_the_setting() {
        SockdFile file = check("internal: 0.0.0.0 port = 3128\ninternal: :: port = 3128\nexternal: fd64::2");

        assertThat(file.port()).isEqualTo(3128);
        assertThat(file.internals()).containsExactlyInAnyOrder("0.0.0.0", "::");
        assertThat(file.logsToStandardOutput()).isFalse();
    }

    @Test
    void without_a_port_dantes_default_applies() {
        assertThat(check("internal: 0.0.0.0\nexternal: 10.64.0.2\n").port()).isEqualTo(1080);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "internal: :: port = 1080\n# external: wg0\nexternal: eth0\n",
                "internal: :: port = 1080\nexternal: wg0\nexternal: eth0\n",
                "internal: :: port = 1080 external: wg0\nEXTERNAL :\neth0",
                "internal: :: port = 1080\nexternal: wg0\nsocks pass { from: 0/0 to: 0/0 redirect from: eth0 }"
            })
    void sessions_outside_the_tunnel_are_rejected(String text) {
        assertThatThrownBy(() -> check(text))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining("/etc/sockd.conf:3:")
                .hasMessageContaining("'eth0' is not the tunnel");
    }

    @Test
    void all_errors_are_reported_together() {
        assertThatThrownBy(() -> check("internal: 0.0.0.0 port = 99999\nexternal: 192.0.2.1\nexternal: 10.64.0.0/24"))
                .hasMessageContaining("/etc/sockd.conf:1:26: '99999' is not a port")
                .hasMessageContaining("/etc/sockd.conf:2:11: '192.0.2.1' is not the tunnel")
                .hasMessageContaining("/etc/sockd.conf:3:11: '10.64.0.0/24' is not the tunnel");
        assertThatThrownBy(() -> check("socksmethod: none"))
                .hasMessageContaining("'internal' is missing")
                .hasMessageContaining("'external' is missing\n    hint: add 'external: wg0'");
        assertThatThrownBy(() -> check("internal: :: port = 1\ninternal: 0.0.0.0 port = 2\nexternal: wg0"))
                .hasMessageContaining("listens on several ports: [1, 2]");
    }

    private static SockdFile check(String text) {
        return SockdFile.check(PATH, text, "wg0", OWN, 1081);
    }
}
