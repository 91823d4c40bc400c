// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The JSON is an interface to the user's programs: members may be added, but not renamed. */
class PlanTextTest {

    private static final PlanText PLAN = new PlanText(
            "wg0",
            "table inet culvert",
            List.of("ip link add dev wg0 type wireguard"),
            List.of("nameserver 127.0.0.1"),
            List.of("10.64.0.1"),
            List.of("DNS queries for tail.example go to 10.64.0.1"),
            List.of("vpn.example.net"),
            Optional.of("containerboot"),
            Optional.of("Dante, SOCKS5 on port 1080"));

    @Test
    void json_has_the_documented_members() {
        JsonObject json = PLAN.json(List.of(Problem.note(Location.setting("CULVERT_X"), "is odd")));

        assertThat(json).hasToString("""
                {"remarks":["CULVERT_X: note: is odd"],"nft":"table inet culvert",\
                "commands":["ip link add dev wg0 type wireguard"],"resolvConf":["nameserver 127.0.0.1"],\
                "dnsServers":["10.64.0.1"],"otherNames":["DNS queries for tail.example go to 10.64.0.1"],\
                "waitingFor":["vpn.example.net"],"mesh":"containerboot","proxy":"Dante, SOCKS5 on port 1080"}""");
    }

    @Test
    void a_disabled_proxy_is_null_in_json() {
        PlanText without = new PlanText(
                "wg0", "", List.of(), List.of(), List.of(), List.of(), List.of(), Optional.empty(), Optional.empty());

        assertThat(without.json(List.of()).get("proxy")).isEqualTo(JsonValue.NULL);
    }
}
