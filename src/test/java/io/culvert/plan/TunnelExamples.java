// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.Machines;
import io.culvert.rtnl.Uplink;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.config.WireGuardFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A file of a tunnel without a mesh, and a machine behind an IPv4 router. */
final class TunnelExamples {

    private TunnelExamples() {}

    static Machine machine(boolean strictReversePath) {
        return machine(strictReversePath, Ipv6.ENABLED);
    }

    static Machine machine(boolean strictReversePath, Ipv6 ipv6) {
        return Machines.of(
                Map.of(
                        Family.IPV4,
                        new Uplink(
                                "eth0",
                                Optional.of(Prefix.parseAddress("192.0.2.1")),
                                List.of(Prefix.parse("192.0.2.10/26")),
                                1500)),
                it -> {
                    it.ipv6 = ipv6;
                    it.strictReversePath = strictReversePath;
                });
    }

    /** @param lines additional lines of the interface */
    static WireGuardConfig file(String name, String allowedIps, String lines) {
        return file(name, "10.64.0.2/32, fd00:64::2/128", allowedIps, lines);
    }

    static WireGuardConfig file(String name, String addresses, String allowedIps, String lines) {
        return WireGuardFile.parse(Path.of(name + ".conf"), """
                [Interface]
                PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                Address = %s
                %s
                [Peer]
                PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                AllowedIPs = %s
                Endpoint = 203.0.113.10:51820
                """.formatted(addresses, lines, allowedIps))
                .config()
                .orElseThrow();
    }
}
