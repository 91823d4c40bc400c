// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A configuration that was written for gluetun. */
@NamespaceTest
class GluetunTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    /** Returns gluetun's variables for the lab's provider. */
    private Map<String, String> variables() {
        String file = fixture.lab.provider().file();
        Map<String, String> variables = new HashMap<>();
        variables.put("VPN_SERVICE_PROVIDER", "custom");
        variables.put("VPN_TYPE", "wireguard");
        variables.put(
                "WIREGUARD_PRIVATE_KEY_SECRETFILE", fixture.lab.node().file("key", value(file, "PrivateKey") + "\n"));
        variables.put("WIREGUARD_ADDRESSES", value(file, "Address").replace(" ", ""));
        variables.put("WIREGUARD_PUBLIC_KEY", value(file, "PublicKey"));
        variables.put("WIREGUARD_ENDPOINT_IP", fixture.lab.provider().publicIpv4());
        variables.put("WIREGUARD_ENDPOINT_PORT", "51820");
        variables.put("DNS_ADDRESS", fixture.lab.provider().tunnelIpv4());
        return variables;
    }

    private static String value(String file, String key) {
        Matcher line = Pattern.compile("(?m)^" + key + " *= *(.*)$").matcher(file);
        assertThat(line.find()).as(key).isTrue();
        return line.group(1).strip();
    }

    @Test
    void its_variables_make_a_tunnel_with_a_kill_switch_and_a_proxy() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        Map<String, String> variables = variables();
        variables.put("HTTPPROXY", "on");
        variables.put("UPDATER_PERIOD", "24h");
        variables.put("CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        RunningProgram culvert = fixture.connect(variables);
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);

        for (Family family : Family.values()) {
            assertThat(Probe.from(fixture.namespace()).whoami(family)).contains(fixture.provider(family));
        }
        assertThat(Probe.from(fixture.lab.lanHost()).whoamiByHttpProxy(Lab.NODE_IPV4, 8888, Family.IPV4))
                .contains(fixture.provider(Family.IPV4));
        assertThat(culvert.output()).doesNotContain(value(fixture.lab.provider().file(), "PrivateKey"));
        fixture.observer.allow(
                "the proxy's clients", packet -> packet.isTcpFrom(8888) && packet.isTo(Lab.LAN_HOST_IPV4));
        assertThat(fixture.observer.leaks()).isEmpty();
    }
}
