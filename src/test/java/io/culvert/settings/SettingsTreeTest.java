// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTreeTest {

    @TempDir
    private Path root;

    @Test
    void defaults_are_shown_in_one_line_per_group() {
        assertThat(tree(new SettingsFixture(root))).isEqualTo("""
                Settings
                ├── Tunnel
                │   └── by default  wireguard config: /etc/wireguard/wg0.conf; server order: file; server return: 5m; probe: on; wireguard implementation: auto; \
                wireguard memory: 96MiB; dns: DNS= in the file, else a public resolver; \
                mtu: MTU= in the file, else the uplink's MTU less 80 (60 for an IPv4 server), at most 1420; mark: 0x51000000
                ├── Mesh
                │   └── by default  mesh: tailscale; withdraw after: off
                ├── Proxies
                │   └── by default  socks: false; socks port: 1080; socks udp ports: 1081-1096; http proxy: false; http proxy port: 8888; socks allow: \
                10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 127.0.0.0/8, fc00::/7, ::1/128; socks user: no authentication; socks password: [not set]
                ├── Gateway
                │   └── by default  gateway: false
                ├── Outside the tunnel
                │   └── by default  lan allow: auto
                ├── Forwarded port
                │   └── by default  forwarded port: off; forwarded port gateway: the tunnel's first DNS server
                ├── HTTP control server
                │   └── by default  http: off; http token: [not set]
                └── Other
                    └── by default  container: auto; leak test: on; log: info""");
    }

    @Test
    void settings_that_were_set_are_shown_with_their_origin() {
        SettingsFixture settings = new SettingsFixture(root)
                .file("/etc/wireguard/wg1.conf", "")
                .file("/run/secrets/socks", "correct horse\n")
                .set("CULVERT_MESH", "none")
                .set("TS_AUTHKEY", "tskey-auth-x")
                .set("TSWG_SOCKD_ENABLED", "1")
                .set("CULVERT_SOCKS_USER", "anna")
                .set("CULVERT_SOCKS_PASSWORD_FILE", "/run/secrets/socks")
                .set(
                        "HOLEPUNCH_ENDPOINTS",
                        "1.example:1 2.example:1 3.example:1 4.example:1 5.example:1 6.example:1"
                                + " 7.example:1 8.example:1 9.example:1 203.0.113.0/24")
                .set("CULVERT_PUBLISH", "8080,53/udp")
                .set("CULVERT_DNS", "2001:db8:0::53")
                .set("CULVERT_MARK", "0x52000000")
                .set("CULVERT_MTU", "1380");

        assertThat(tree(settings)).isEqualTo("""
                Settings
                ├── Tunnel
                │   ├── dns: 2001:db8::53  ← CULVERT_DNS
                │   ├── mtu: 1380  ← CULVERT_MTU
                │   ├── mark: 0x52000000  ← CULVERT_MARK
                │   └── by default  wireguard config: /etc/wireguard/wg0.conf, then /etc/wireguard/wg1.conf; server order: file; server return: 5m; probe: on; \
                wireguard implementation: auto; wireguard memory: 96MiB
                ├── Mesh
                │   ├── mesh: none  ← CULVERT_MESH
                │   ├── TS_AUTHKEY: [set]
                │   └── by default  withdraw after: off
                ├── Proxies
                │   ├── socks: true  ← TSWG_SOCKD_ENABLED (alias)
                │   ├── socks user: anna  ← CULVERT_SOCKS_USER
                │   ├── socks password: [set]  ← CULVERT_SOCKS_PASSWORD_FILE=/run/secrets/socks
                │   └── by default  socks port: 1080; socks udp ports: 1081-1096; http proxy: false; http proxy port: 8888; socks allow: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, \
                127.0.0.0/8, fc00::/7, ::1/128
                ├── Gateway
                │   └── by default  gateway: false
                ├── Outside the tunnel
                │   ├── bypass: 1.example:1, 2.example:1, 3.example:1, 4.example:1, 5.example:1, 6.example:1, \
                7.example:1, 8.example:1 and 2 more  ← HOLEPUNCH_ENDPOINTS (alias)
                │   ├── publish: 8080/tcp, 53/udp  ← CULVERT_PUBLISH
                │   └── by default  lan allow: auto
                ├── Forwarded port
                │   └── by default  forwarded port: off; forwarded port gateway: the tunnel's first DNS server
                ├── HTTP control server
                │   └── by default  http: off; http token: [not set]
                └── Other
                    └── by default  container: auto; leak test: on; log: info""");
    }

    private String tree(SettingsFixture settings) {
        return settings.read().tree().toString().replace(root.toString(), "");
    }
}
