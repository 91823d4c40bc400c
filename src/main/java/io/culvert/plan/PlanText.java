// SPDX-License-Identifier: Apache-2.0
package io.culvert.plan;

import io.culvert.diagnostics.Problem;
import io.culvert.dns.DnsRoute;
import io.culvert.dns.Upstreams;
import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.nft.NftText;
import io.culvert.rtnl.ForwardingSysctls;
import io.culvert.rtnl.IpSyntax;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.Uplink;
import io.culvert.settings.TailscaleSettings;
import io.culvert.settings.WireGuardSettings;
import io.culvert.wireguard.device.DeviceConfig;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A plan as the equivalent commands of {@code nft}, {@code ip}, {@code wg} and {@code sysctl}, in order of execution.
 * Keys are replaced by variables that name key files; a shell stops with an error if one is not set.
 *
 * @param link name of the tunnel's interface
 * @param ruleset in nft's syntax; empty if there is no ruleset
 * @param commands of iproute2, wg and sysctl, and the userspace WireGuard if it is needed
 * @param resolvConf lines of resolv.conf; empty if it is not changed
 * @param dnsServers servers that the DNS stub queries through the tunnel; empty if there is no stub
 * @param otherNames names that are not resolved by the tunnel's servers, and by which they are, without a full stop
 * @param waitingFor names whose addresses are added when they are resolved
 * @param mesh the program of the mesh, if it is Tailscale
 * @param proxy the SOCKS5 proxy and the HTTP proxy, if one is enabled
 */
public record PlanText(
        String link,
        String ruleset,
        List<String> commands,
        List<String> resolvConf,
        List<String> dnsServers,
        List<String> otherNames,
        List<String> waitingFor,
        Optional<String> mesh,
        Optional<String> proxy) {

    private static final String RUNTIME_RESOLVERS = "the machine's own resolvers, outside the tunnel";

    private static final String WIREGUARD = "ip link add dev %s type wireguard";

    public PlanText {
        commands = List.copyOf(commands);
        resolvConf = List.copyOf(resolvConf);
        dnsServers = List.copyOf(dnsServers);
        otherNames = List.copyOf(otherNames);
        waitingFor = List.copyOf(waitingFor);
    }

    /** Returns the text of an exit node's plan. */
    public static PlanText of(ExitNodeInputs inputs) {
        ExitNodePlan plan = ExitNodePlanner.plan(inputs);
        List<String> commands = new ArrayList<>(IpSyntax.commands(plan.killSwitchRouting()));
        List<String> network = new ArrayList<>(IpSyntax.commands(plan.network()));
        network.removeAll(Set.copyOf(commands));
        commands.add(creationCommand(plan.identity().link(), inputs));
        commands.addAll(configurationCommands(plan.identity().link(), plan.tunnel()));
        plan.meshes().forEach((link, mesh) -> {
            commands.add(creationCommand(link, inputs));
            commands.addAll(configurationCommands(link, mesh));
        });
        commands.addAll(network);
        if (!MeshInterface.of(inputs).isEmpty()
                || !inputs.settings().gatewayClients().isEmpty()) {
            commands.addAll(forwardingCommands(inputs.machine()));
        }
        return new PlanText(
                plan.identity().link(),
                NftText.of(plan.ruleset()),
                commands,
                resolvConf(
                        plan.dns().stubAddresses(),
                        plan.tailnet().suffix().stream().toList()),
                plan.dns().servers().stream().map(Prefix::text).toList(),
                plan.dns().routes().stream().map(PlanText::route).toList(),
                plan.names().stream()
                        .filter(name -> inputs.names().of(name).isEmpty())
                        .map(Host.Name::toString)
                        .sorted()
                        .toList(),
                inputs.settings().mesh().tailscale().map(PlanText::tailscale),
                proxies(inputs));
    }

    private static Optional<String> proxies(ExitNodeInputs inputs) {
        List<String> proxies = new ArrayList<>();
        inputs.socksPort().ifPresent(port -> proxies.add("Dante, SOCKS5 on port " + port));
        inputs.settings().httpProxy().ifPresent(port -> proxies.add("tinyproxy, HTTP on port " + port));
        return proxies.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", proxies));
    }

    /** Returns the text of the plan of a tunnel without a mesh. */
    public static PlanText of(TunnelPlan plan) {
        List<String> commands = new ArrayList<>();
        commands.add(WIREGUARD.formatted(plan.link()));
        commands.addAll(configurationCommands(plan.link(), plan.device()));
        commands.addAll(IpSyntax.commands(plan.network()));
        return new PlanText(
                plan.link(),
                plan.ruleset().isEmpty() ? "" : NftText.of(plan.ruleset()),
                commands,
                resolvConf(plan.dnsServers(), plan.searchDomains()),
                List.of(),
                List.of(),
                List.of(),
                Optional.empty(),
                Optional.empty());
    }

    /** Returns the plan as lines to read. */
    public String text() {
        List<String> parts = new ArrayList<>();
        if (!ruleset.isEmpty()) {
            parts.add("nft -f - <<'END'\n" + ruleset.strip() + "\nEND");
        }
        parts.add(String.join("\n", commands));
        if (!resolvConf.isEmpty()) {
            parts.add("# /etc/resolv.conf\n# " + String.join("\n# ", resolvConf));
        }
        if (!dnsServers.isEmpty()) {
            parts.add(
                    "# DNS stub on that address: queries go to " + String.join(", ", dnsServers) + " through " + link);
        }
        if (!otherNames.isEmpty()) {
            parts.add("# " + String.join("\n# ", otherNames));
        }
        mesh.ifPresent(it -> parts.add("# mesh: " + it));
        proxy.ifPresent(it -> parts.add("# proxy: " + it));
        if (!waitingFor.isEmpty()) {
            parts.add("# added when their addresses are resolved: " + String.join(", ", waitingFor));
        }
        return String.join("\n\n", parts);
    }

    /** Returns the plan as a JSON object. */
    public JsonObject json(List<Problem> remarks) {
        return Json.createObjectBuilder()
                .add(
                        "remarks",
                        Json.createArrayBuilder(
                                remarks.stream().map(Problem::toString).toList()))
                .add("nft", ruleset)
                .add("commands", Json.createArrayBuilder(commands))
                .add("resolvConf", Json.createArrayBuilder(resolvConf))
                .add("dnsServers", Json.createArrayBuilder(dnsServers))
                .add("otherNames", Json.createArrayBuilder(otherNames))
                .add("waitingFor", Json.createArrayBuilder(waitingFor))
                .add("mesh", mesh.<JsonValue>map(Json::createValue).orElse(JsonValue.NULL))
                .add("proxy", proxy.<JsonValue>map(Json::createValue).orElse(JsonValue.NULL))
                .build();
    }

    private static List<String> resolvConf(List<InetAddress> servers, List<String> search) {
        List<String> lines = new ArrayList<>();
        servers.forEach(server -> lines.add("nameserver " + Prefix.text(server)));
        if (!search.isEmpty()) {
            lines.add("search " + String.join(" ", search));
        }
        return lines;
    }

    private static String route(DnsRoute route) {
        return switch (route) {
            case DnsRoute.Suffix suffix ->
                "DNS queries for " + suffix.suffix() + " go to " + destination(suffix.upstreams());
            case DnsRoute.ExactName exact -> "DNS queries for " + exact.name() + " go to " + RUNTIME_RESOLVERS;
            case DnsRoute.Containers containers ->
                "DNS queries for containers in " + containers.domain() + " go to "
                        + destination(containers.upstreams());
            case DnsRoute.Cluster cluster ->
                "DNS queries for services and pods in " + cluster.domain() + " go to "
                        + destination(cluster.upstreams());
            case DnsRoute.Unqualified unqualified ->
                "DNS queries for names without a dot go to " + destination(unqualified.upstreams());
        };
    }

    private static String destination(Upstreams upstreams) {
        return upstreams.servers().stream()
                        .map(server -> Prefix.text(server.getAddress()))
                        .collect(Collectors.joining(", "))
                + upstreams.egress().device().map(link -> " through " + link).orElse(", outside the tunnel");
    }

    private static String tailscale(TailscaleSettings settings) {
        return "containerboot, Tailscale on " + settings.interfaceName()
                + settings.port().stream()
                        .mapToObj(port -> ", UDP port " + port)
                        .findFirst()
                        .orElse("")
                + (settings.advertisesExitNode()
                        ? "; the exit node is advertised after the tunnel's first handshake"
                        : "");
    }

    /** Returns the commands that enable forwarding for clients if it is off. */
    private static List<String> forwardingCommands(Machine machine) {
        List<String> commands = new ArrayList<>();
        for (Family family : Family.values()) {
            Uplink uplink = machine.uplinks().get(family);
            if (uplink == null || machine.forwarding().contains(family)) {
                continue;
            }
            if (family == Family.IPV6) {
                commands.add("sysctl -w net.ipv6.conf." + uplink.link() + ".accept_ra=2   # if it is 1");
            }
            commands.add("sysctl -w " + ForwardingSysctls.sysctl(family) + "=1");
        }
        return commands;
    }

    private static String creationCommand(String link, ExitNodeInputs inputs) {
        WireGuardSettings settings = inputs.settings().wireGuard();
        return switch (settings.implementation().on(inputs.machine().kernelWireGuard())) {
            case KERNEL -> WIREGUARD.formatted(link);
            case USERSPACE -> "GOMEMLIMIT=" + settings.memory() + " wireguard-go " + link;
        };
    }

    private static List<String> configurationCommands(String link, DeviceConfig device) {
        List<String> commands = new ArrayList<>();
        StringBuilder set = new StringBuilder("wg set " + link + " private-key \"${PRIVATE_KEY_FILE:?}\"");
        if (device.listenPort() != 0) {
            set.append(" listen-port ").append(device.listenPort());
        }
        if (device.mark() != 0) {
            set.append(" fwmark 0x").append(Long.toHexString(device.mark()));
        }
        commands.add(set.toString());
        device.peers().forEach(peer -> {
            StringBuilder line = new StringBuilder("wg set " + link + " peer " + peer.publicKey());
            peer.presharedKey().ifPresent(_ -> line.append(" preshared-key \"${PRESHARED_KEY_FILE:?}\""));
            peer.endpoint()
                    .ifPresent(endpoint -> line.append(" endpoint '")
                            .append(Endpoint.of(endpoint))
                            .append("'"));
            if (peer.keepaliveSeconds() > 0) {
                line.append(" persistent-keepalive ").append(peer.keepaliveSeconds());
            }
            line.append(" allowed-ips ")
                    .append(
                            peer.allowedIps().isEmpty()
                                    ? "''"
                                    : peer.allowedIps().stream()
                                            .map(Object::toString)
                                            .collect(Collectors.joining(",")));
            commands.add(line.toString());
        });
        return commands;
    }
}
