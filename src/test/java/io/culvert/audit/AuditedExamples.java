// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.wireguard.config.WireGuardConfig;
import java.util.LinkedHashMap;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;

/** The inputs of the promise of nodes that are planned in tests. */
final class AuditedExamples {

    private AuditedExamples() {}

    static PromiseInputs promiseInputs(ExitNodeInputs inputs, ExitNodePlan plan) {
        SequencedMap<String, WireGuardConfig> meshes = new LinkedHashMap<>();
        inputs.meshes().forEach(mesh -> meshes.put(mesh.link(), mesh.file()));
        return PromiseInputs.of(
                inputs.settings(),
                inputs.identity().link(),
                inputs.identity().marks().tunnel(),
                inputs.server(),
                meshes,
                inputs.machine(),
                known -> {
                    known.tunnelPort = OptionalInt.of(plan.tunnel().listenPort());
                    known.servers = Set.copyOf(plan.tunnel().endpoints());
                    known.resolvers = inputs.resolvers().servers();
                    known.bypassAddresses = inputs.names().bypasses();
                    known.tailnetAddresses = inputs.tailnet().addresses();
                    known.relayPorts = inputs.tailnet().relayPorts();
                    known.forwardedPort = inputs.forwardedPort();
                    known.socksPort = inputs.socksPort();
                    known.dnsPort = inputs.dnsPort();
                });
    }
}
