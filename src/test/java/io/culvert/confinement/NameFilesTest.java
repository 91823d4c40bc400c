package io.culvert.confinement;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Prefix;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class NameFilesTest {

    @Test
    void resolv_conf_names_the_tunnels_resolvers_and_nobody_else() {
        assertThat(new NameFiles(
                                List.of(Prefix.parseAddress("10.64.0.1"), Prefix.parseAddress("fd00:64::1")),
                                List.of("corp.example", "example"))
                        .resolvConf())
                .isEqualTo("nameserver 10.64.0.1\nnameserver fd00:64::1\nsearch corp.example example\n");
        assertThat(new NameFiles(List.of(), List.of()).resolvConf()).isEmpty();
    }

    @Test
    void hosts_are_looked_up_by_dns_and_everything_else_as_on_the_machine() {
        assertThat(NameFiles.serviceSwitch("""
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
        assertThat(NameFiles.serviceSwitch("")).isEqualTo("hosts: files dns\nnetworks: files\n");
    }
}
