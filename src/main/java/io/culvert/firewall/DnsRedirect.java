// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static io.culvert.firewall.Matches.anyOfAddresses;
import static io.culvert.firewall.Matches.fromLink;
import static io.culvert.firewall.Matches.hasNoMarkOf;
import static io.culvert.firewall.Matches.isTcpOrUdp;
import static io.culvert.firewall.Matches.notFromAddress;
import static io.culvert.firewall.Matches.notToLink;
import static io.culvert.firewall.Matches.toAddress;
import static io.culvert.firewall.Matches.toLink;
import static io.culvert.firewall.Matches.toPort;

import io.culvert.firewall.KillSwitchInput.Mesh;
import io.culvert.net.Family;
import io.culvert.nft.Chain;
import io.culvert.nft.Chain.Hook;
import io.culvert.nft.Chain.Policy;
import io.culvert.nft.NftRule;
import io.culvert.nft.Statement;
import io.culvert.nft.Statement.Masquerade;
import io.culvert.nft.Statement.Redirect;
import io.culvert.nft.Statement.SendTo;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Builds the chains that redirect DNS queries to the DNS stub, or to the tunnel's DNS servers. */
final class DnsRedirect {

    /** Before the container engine's own redirection, at -100, to a resolver outside the tunnel. */
    static final int PRIORITY = -110;

    private static final int SOURCE_NAT = 100;

    private final KillSwitchInput input;

    DnsRedirect(KillSwitchInput input) {
        this.input = input;
    }

    /**
     * Returns the chain that redirects all DNS queries of local processes, except those into the mesh: they are encrypted there,
     * and Tailscale's own resolver sends such queries on behalf of the stub.
     */
    Optional<Chain> forLocalProcesses() {
        if (input.dnsPort().isEmpty()) {
            return toTunnelResolvers();
        }
        List<NftRule> rules = new ArrayList<>(new Bypasses(input.bypasses()).rulesWithPort("not redirected: bypass"));
        List<Statement> query = new ArrayList<>();
        if (!input.meshes().isEmpty()) {
            query.add(notToLink(input.meshLinks()));
        }
        query.add(hasNoMarkOf(input.marks()));
        query.add(isTcpOrUdp());
        query.add(toPort(Matches.DNS));
        query.add(new Redirect(input.dnsPort().getAsInt()));
        rules.add(new NftRule("redirect local DNS queries to the DNS stub", query));
        return Optional.of(Chain.base("dns_redirect", Chain.Type.NAT, Hook.OUTPUT, PRIORITY, Policy.ACCEPT, rules));
    }

    /**
     * Returns the chain that redirects DNS queries to the tunnel's servers, whatever the machine's configuration says. Queries
     * that a local service such as systemd-resolved forwards are redirected too.
     */
    private Optional<Chain> toTunnelResolvers() {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.tunnel().resolvers(family);
            if (!resolvers.isEmpty()) {
                rules.add(NftRule.of(
                        "redirect DNS queries to the tunnel's DNS server, " + family.text(),
                        notToLink("lo"),
                        hasNoMarkOf(input.marks()),
                        Statement.isNot(Matches.destination(family), anyOfAddresses(resolvers)),
                        isTcpOrUdp(),
                        toPort(Matches.DNS),
                        new SendTo(resolvers.getFirst())));
            }
        }
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(Chain.base("dns_redirect", Chain.Type.NAT, Hook.OUTPUT, PRIORITY, Policy.ACCEPT, rules));
    }

    /** Returns the chain that gives redirected queries the tunnel's address: they may have that of another link. */
    Optional<Chain> sourceAddresses() {
        List<NftRule> rules = new ArrayList<>();
        for (Family family : Family.values()) {
            List<InetAddress> resolvers = input.tunnel().resolvers(family);
            List<InetAddress> tunnelAddresses = input.tunnel().addresses().stream()
                    .filter(address -> Family.of(address) == family)
                    .toList();
            if (!resolvers.isEmpty() && !tunnelAddresses.isEmpty()) {
                rules.add(NftRule.of(
                        "DNS queries leave with the tunnel's address, " + family.text(),
                        toLink(input.tunnel().link()),
                        toAddress(family, anyOfAddresses(resolvers)),
                        notFromAddress(family, anyOfAddresses(tunnelAddresses)),
                        isTcpOrUdp(),
                        toPort(Matches.DNS),
                        new Masquerade()));
            }
        }
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(Chain.base(
                        "dns_source_address", Chain.Type.NAT, Hook.POSTROUTING, SOURCE_NAT, Policy.ACCEPT, rules));
    }

    /**
     * Returns the chain that redirects DNS queries of a WireGuard mesh's clients to this node. Tailscale's clients have a resolver
     * of their own, and a service that listens on port 53 for them here is the user's.
     */
    Optional<Chain> forMeshClients() {
        List<NftRule> rules = new ArrayList<>();
        List<Mesh> wireGuardMeshes = input.meshes().stream()
                .filter(mesh -> mesh.kind() == Mesh.Kind.WIREGUARD)
                .toList();
        input.dnsPort().ifPresent(port -> {
            for (Family family : Family.values()) {
                List<InetAddress> tunnelAddresses = wireGuardMeshes.stream()
                        .flatMap(mesh -> mesh.addresses().stream())
                        .filter(address -> Family.of(address) == family)
                        .toList();
                if (!tunnelAddresses.isEmpty()) {
                    rules.add(NftRule.of(
                            "redirect DNS queries from the mesh to the DNS stub, " + family.text(),
                            fromLink(wireGuardMeshes.stream().map(Mesh::link).toList()),
                            toAddress(family, anyOfAddresses(tunnelAddresses)),
                            isTcpOrUdp(),
                            toPort(Matches.DNS),
                            new Redirect(port)));
                }
            }
        });
        return rules.isEmpty()
                ? Optional.empty()
                : Optional.of(Chain.base(
                        "mesh_dns_redirect", Chain.Type.NAT, Hook.PREROUTING, PRIORITY, Policy.ACCEPT, rules));
    }
}
