// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Prefix;
import java.util.List;
import org.junit.jupiter.api.Test;

class ResolverFilesTest {

    @Test
    void resolv_conf_contains_only_the_tunnels_resolvers() {
        assertThat(new ResolverFiles(
                                List.of(Prefix.parseAddress("10.64.0.1"), Prefix.parseAddress("fd00:64::1")),
                                List.of("corp.example", "example"))
                        .resolvConf())
                .isEqualTo("nameserver 10.64.0.1\nnameserver fd00:64::1\nsearch corp.example example\n");
        assertThat(new ResolverFiles(List.of(), List.of()).resolvConf()).isEmpty();
    }

    @Test
    void hosts_are_resolved_by_dns_and_other_databases_are_unchanged() {
        assertThat(ResolverFiles.nsswitchConf("""
                        # a comment
                        passwd:     files systemd sss
                        hosts:      mymachines resolve [!UNAVAIL=return] files myhostname dns
                          networks : nis
                        services: db files
                        """)).isEqualTo("""
                        # a comment
                        passwd:     files systemd sss
                        services: db files
                        hosts: files dns
                        networks: files
                        """);
        assertThat(ResolverFiles.nsswitchConf("")).isEqualTo("hosts: files dns\nnetworks: files\n");
    }
}
