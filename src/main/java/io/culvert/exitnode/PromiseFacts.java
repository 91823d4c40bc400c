// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.audit.PromiseInputs;
import io.culvert.net.Host;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.RuntimeResolvers;
import io.culvert.rtnl.Machine;
import io.culvert.status.ForwardedPort;
import io.culvert.status.RuntimeFacts;
import io.culvert.wireguard.config.Peer;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceState;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Stream;

/** Collects what the promise of an exit node is computed from. */
final class PromiseFacts {

    private PromiseFacts() {}

    /** Returns what a running exit node knows, by the inputs of its plan and by its device. */
    static RuntimeFacts of(
            ExitNodeInputs inputs,
            Path file,
            Optional<DeviceState> device,
            int plannedPort,
            ForwardedPort forwardedPort) {
        Map<String, List<InetAddress>> bypasses = new HashMap<>();
        inputs.names().bypasses().forEach((name, addresses) -> bypasses.put(name.toString(), addresses));
        return new RuntimeFacts(
                file.toString(),
                OptionalInt.of(device.map(DeviceState::listenPort)
                        .filter(port -> port > 0)
                        .orElse(plannedPort)),
                Stream.concat(servers(inputs), inputs.roamedEndpoint().stream())
                        .distinct()
                        .toList(),
                bypasses,
                inputs.tailnet().addresses(),
                List.copyOf(inputs.tailnet().relayPorts()),
                OptionalInt.of(inputs.dnsPort()),
                forwardedPort);
    }

    private static Stream<InetSocketAddress> servers(ExitNodeInputs inputs) {
        return inputs.server().peers().stream()
                .flatMap(peer -> peer.endpoint().stream())
                .flatMap(endpoint -> inputs.names().of(endpoint.host()).stream()
                        .map(address -> new InetSocketAddress(address, endpoint.port())));
    }

    /**
     * Returns what is known where no exit node answers: the endpoints in the file that are addresses, and what the device in
     * the kernel has.
     */
    static RuntimeFacts of(WireGuardConfig server, Path file, Optional<DeviceState> device) {
        Set<InetSocketAddress> servers = new LinkedHashSet<>();
        for (Peer peer : server.peers()) {
            peer.endpoint().ifPresent(endpoint -> {
                if (endpoint.host() instanceof Host.Literal(InetAddress address)) {
                    servers.add(new InetSocketAddress(address, endpoint.port()));
                }
            });
        }
        device.ifPresent(state ->
                state.peers().stream().flatMap(peer -> peer.endpoint().stream()).forEach(servers::add));
        OptionalInt port = device.map(DeviceState::listenPort)
                .filter(it -> it > 0)
                .map(OptionalInt::of)
                .orElse(server.listenPort());
        return new RuntimeFacts(
                file.toString(),
                port,
                List.copyOf(servers),
                Map.of(),
                List.of(),
                List.of(),
                OptionalInt.empty(),
                ForwardedPort.OFF);
    }

    static PromiseInputs inputs(
            LoadedConfiguration configuration,
            WireGuardConfig server,
            Machine machine,
            RuntimeResolvers resolvers,
            RuntimeFacts facts) {
        SequencedMap<String, WireGuardConfig> meshes = new LinkedHashMap<>();
        configuration.meshes().forEach(mesh -> meshes.put(mesh.link(), mesh.file()));
        Map<Host.Name, List<InetAddress>> bypasses = new HashMap<>();
        facts.bypasses().forEach((name, addresses) -> bypasses.put(new Host.Name(name), addresses));
        return PromiseInputs.of(
                configuration.settings(),
                configuration.identity().link(),
                configuration.identity().marks().tunnel(),
                server,
                meshes,
                machine,
                known -> {
                    known.tunnelPort = facts.tunnelPort();
                    known.servers = Set.copyOf(facts.servers());
                    known.resolvers = Stream.concat(resolvers.servers().stream(), resolvers.forwarded().stream())
                            .distinct()
                            .toList();
                    known.bypassAddresses = bypasses;
                    known.tailnetAddresses = facts.tailnetAddresses();
                    known.relayPorts = Set.copyOf(facts.relayPorts());
                    known.dnsPort = facts.dnsPort().orElse(ExitNodePlan.STUB_PORT);
                    known.forwardedPort = facts.forwardedPort().port();
                    known.socksPort = Proxies.socksPort(configuration.settings(), configuration.sockd());
                });
    }
}
