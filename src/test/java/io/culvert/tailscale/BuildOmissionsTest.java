// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.TextFile;
import io.culvert.diagnostics.Problem;
import io.culvert.rtnl.Machines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BuildOmissionsTest {

    private static final BuildOmissions MINIMAL =
            new BuildOmissions(Set.of("outboundproxy", "serve", "ssh", "useroutes", "kube", "aws", "iptables", "tpm"));

    @TempDir
    Path root;

    private List<String> missed(BuildOmissions omissions, String variable, String text) {
        return omissions.requiredFeatures(ScriptedContainerboot.settings(root, Map.of(variable, text))).stream()
                .map(Problem::toString)
                .toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            TS_SOCKS5_SERVER              | :1055                             | its own SOCKS5 proxy
            TS_OUTBOUND_HTTP_PROXY_LISTEN | localhost:8080                    | its own HTTP proxy
            TS_SERVE_CONFIG               | /etc/serve.json                   | Serve and Funnel
            TS_EXTRA_ARGS                 | --hostname exit --ssh             | SSH
            TS_EXTRA_ARGS                 | -accept-routes=1                  | routes of other nodes
            TS_DEBUG_FIREWALL_MODE        | iptables                          | iptables
            TS_TAILSCALED_EXTRA_ARGS      | --verbose 1 --state=arn:aws:ssm:x | AWS
            TS_TAILSCALED_EXTRA_ARGS      | --socks5-server :1055             | its own SOCKS5 proxy
            TS_TAILSCALED_EXTRA_ARGS      | --encrypt-state                   | TPM
            """)
    void a_setting_that_needs_an_omitted_feature_is_rejected(String variable, String text, String message) {
        assertThat(missed(MINIMAL, variable, text))
                .singleElement()
                .asString()
                .contains(variable)
                .contains(message.replace("its own", "Tailscale's own"))
                .contains("a tag without '-minimal'");
        assertThat(missed(new BuildOmissions(Set.of()), variable, text)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            TS_EXTRA_ARGS            | --ssh=false --hostname=exit --advertise-tags=tag:ssh
            TS_TAILSCALED_EXTRA_ARGS | --state=/var/lib/tailscale/state --verbose=1
            TS_DEBUG_FIREWALL_MODE   | nftables
            TS_SERVE_CONFIG          | ''
            TS_ROUTES                | 192.168.7.0/24
            TS_ENABLE_METRICS        | true
            """)
    void settings_that_need_no_omitted_feature_are_accepted(String variable, String text) {
        assertThat(missed(MINIMAL, variable, text)).isEmpty();
    }

    @Test
    void omitted_features_are_read_from_the_programs_directory() throws IOException {
        assertThat(BuildOmissions.of(root).features()).isEmpty();

        Files.writeString(root.resolve("tailscale.without"), "kube\nssh\n");

        assertThat(BuildOmissions.of(root).features()).containsExactlyInAnyOrder("kube", "ssh");
    }

    @Test
    void an_image_without_tailscale_is_named() throws IOException {
        Files.writeString(root.resolve("tailscale.without"), "tailscale\n");

        assertThat(new TailscaleProgram(ScriptedContainerboot.settings(root, Map.of()), List.of(root), root)
                        .unmetRequirements(Machines.of(Map.of(), _ -> {})))
                .extracting(Problem::toString)
                .anyMatch(it -> it.contains("the wireguard image does not include Tailscale"))
                .noneMatch(it -> it.contains("is not installed"));
    }

    @Test
    void the_documentation_lists_all_omitted_features() {
        TextFile.assertRegion(Path.of("docs/image.md"), "minimal", BuildOmissions.table());
    }
}
