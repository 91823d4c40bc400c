package io.culvert.plan;

import io.culvert.device.DeviceConfig;
import io.culvert.ip.Endpoint;
import io.culvert.ip.Family;
import io.culvert.ip.Host;
import io.culvert.ip.Prefix;
import io.culvert.network.Forwarding;
import io.culvert.network.IpSyntax;
import io.culvert.network.Machine;
import io.culvert.network.Uplink;
import io.culvert.nft.NftText;
import io.culvert.problem.Problem;
import io.culvert.settings.TailscaleSettings;
import io.culvert.settings.WireGuardSettings;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A plan as what it would take by hand: {@code nft}, {@code ip}, {@code wg} and {@code sysctl}, in the order of doing.
 * Keys are left out: where they go stand variables, which a shell asks for when they name no file.
 *
 * @param ruleset in nft's syntax; empty where nftables are left alone
 * @param commands of iproute2, wg and sysctl, and the userspace WireGuard where it is needed
 * @param resolvConf empty where it is left alone
 * @param dnsServers asked through the tunnel by a stub of ours; empty where there is none
 * @param otherNames who is asked for names that the tunnel's servers are not, in sentences without a full stop
 * @param waitingFor names whose addresses are added as soon as they are known
 * @param mesh the program that makes the mesh, where it is Tailscale
 * @param proxy what serves SOCKS5, where it is asked for
 */
public record PlanText(
        String ruleset,
        List<String> commands,
        List<String> resolvConf,
        List<String> dnsServers,
        List<String> otherNames,
        List<String> waitingFor,
        Optional<String> mesh,
        Optional<String> proxy) {

    private static final String RUNTIMES = "the machine's own resolvers, beside the tunnel";

    private static final String WIREGUARD = "ip link add dev %s type wireguard";

    public PlanText {
        commands = List.copyOf(commands);
        resolvConf = List.copyOf(resolvConf);
        dnsServers = List.copyOf(dnsServers);
        otherNames = List.copyOf(otherNames);
        waitingFor = List.copyOf(waitingFor);
    }

    /** Of an exit node. */
    public static PlanText of(ExitNodeInputs inputs) {
        ExitNodePlan plan = ExitNodePlanner.plan(inputs);
        List<String> commands = new ArrayList<>(IpSyntax.commands(plan.rules()));
        List<String> network = new ArrayList<>(IpSyntax.commands(plan.network()));
        network.removeAll(List.copyOf(commands));
        commands.add(creation(ExitNodePlan.TUNNEL, inputs));
        commands.addAll(configuration(ExitNodePlan.TUNNEL, plan.tunnel()));
        plan.meshes().forEach((link, mesh) -> {
            commands.add(creation(link, inputs));
            commands.addAll(configuration(link, mesh));
        });
        commands.addAll(network);
        if (!MeshSide.of(inputs).isEmpty()) {
            commands.addAll(forwarding(inputs.machine()));
        }
        return new PlanText(
                NftText.of(plan.guard()),
                commands,
                resolvConf(
                        plan.stubAddresses(), plan.tailnet().suffix().stream().toList()),
                plan.dnsServers().stream().map(Prefix::text).toList(),
                plan.dnsRoutes().stream().map(PlanText::route).toList(),
                plan.names().stream()
                        .filter(name -> inputs.names().of(name).isEmpty())
                        .map(Host.Name::toString)
                        .sorted()
                        .toList(),
                inputs.settings().mesh().tailscale().map(PlanText::tailscale),
                inputs.socksPort().stream()
                        .mapToObj(port -> "Dante, SOCKS5 on port " + port)
                        .findFirst());
    }

    /** Of a tunnel alone. */
    public static PlanText of(TunnelPlan plan) {
        List<String> commands = new ArrayList<>();
        commands.add(WIREGUARD.formatted(plan.link()));
        commands.addAll(configuration(plan.link(), plan.device()));
        commands.addAll(IpSyntax.commands(plan.network()));
        return new PlanText(
                plan.guard().isEmpty() ? "" : NftText.of(plan.guard()),
                commands,
                resolvConf(plan.dnsServers(), plan.searchDomains()),
                List.of(),
                List.of(),
                List.of(),
                Optional.empty(),
                Optional.empty());
    }

    /** All of it as lines to read. */
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
            parts.add("# served on that address: DNS, by asking " + String.join(", ", dnsServers) + " through "
                    + ExitNodePlan.TUNNEL);
        }
        if (!otherNames.isEmpty()) {
            parts.add("# " + String.join("\n# ", otherNames));
        }
        mesh.ifPresent(it -> parts.add("# kept running: " + it));
        proxy.ifPresent(it -> parts.add("# served: " + it));
        if (!waitingFor.isEmpty()) {
            parts.add("# added as soon as their addresses are known: " + String.join(", ", waitingFor));
        }
        return String.join("\n\n", parts);
    }

    /** All of it as an object for programs. */
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

    private static String route(NameRoute route) {
        return switch (route) {
            case NameRoute.Through through ->
                "for " + through.suffix() + ": DNS, by asking "
                        + through.servers().stream().map(Prefix::text).collect(Collectors.joining(", ")) + " through "
                        + through.link();
            case NameRoute.Exactly exactly -> "for " + exactly.name() + ": DNS, by asking " + RUNTIMES;
            case NameRoute.Containers containers ->
                "for containers in " + containers.domain() + ": DNS, by asking " + outside(containers.servers());
            case NameRoute.Cluster cluster ->
                "for services and pods in " + cluster.domain() + ": DNS, by asking " + outside(cluster.servers());
            case NameRoute.Unqualified unqualified ->
                "for names without a dot: DNS, by asking " + outside(unqualified.servers());
        };
    }

    private static String outside(List<InetAddress> servers) {
        return servers.stream().map(Prefix::text).collect(Collectors.joining(", ")) + ", outside the tunnel";
    }

    private static String tailscale(TailscaleSettings settings) {
        return "containerboot, Tailscale on " + settings.link()
                + settings.port().stream()
                        .mapToObj(port -> ", UDP port " + port)
                        .findFirst()
                        .orElse("")
                + (settings.offersExit() ? "; the exit is offered after the tunnel's first handshake" : "");
    }

    /** What forwarding for a mesh takes, where it is off. */
    private static List<String> forwarding(Machine machine) {
        List<String> commands = new ArrayList<>();
        for (Family family : Family.values()) {
            Uplink uplink = machine.uplinks().get(family);
            if (uplink == null || machine.forwarding().contains(family)) {
                continue;
            }
            if (family == Family.IPV6) {
                commands.add("sysctl -w net.ipv6.conf." + uplink.link() + ".accept_ra=2   # where it is 1");
            }
            commands.add("sysctl -w " + Forwarding.sysctl(family) + "=1");
        }
        return commands;
    }

    private static String creation(String link, ExitNodeInputs inputs) {
        WireGuardSettings settings = inputs.settings().wireGuard();
        boolean userspace = switch (settings.implementation()) {
            case AUTO -> !inputs.machine().kernelWireGuard();
            case KERNEL -> false;
            case USERSPACE -> true;
        };
        return userspace ? "GOMEMLIMIT=" + settings.memory() + " wireguard-go " + link : WIREGUARD.formatted(link);
    }

    private static List<String> configuration(String link, DeviceConfig device) {
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
