// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.networkfile.Forward;
import io.culvert.networkfile.Forward.Direction;
import io.culvert.networkfile.MeshLink;
import io.culvert.networkfile.NodeInterface;
import io.culvert.networkfile.NodeView;
import io.culvert.networkfile.NodeView.UsedExitNode;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Renders the files of a node for systemd-networkd (systemd.netdev(5), systemd.network(5)), which refer to key files.
 */
public final class Networkd {

    /** Culvert's own routing table and mark, which do not conflict with other rules. */
    private static final int TABLE = 51820;

    private static final String MARK = "0x51000000";

    /** Before systemd's default priority for such rules, after wg-quick's. */
    private static final int PREFERENCE = 5330;

    private Networkd() {}

    /** Returns two files for each interface: the device, and its addresses and routes. */
    public static List<RenderedFile> files(NodeView node) {
        List<RenderedFile> files = new ArrayList<>();
        for (NodeInterface mesh : node.interfaces()) {
            boolean usesExit = node.exitNode().map(UsedExitNode::device).equals(Optional.of(mesh.device()));
            files.add(new RenderedFile(mesh.device() + ".netdev", device(mesh, usesExit)));
            files.add(new RenderedFile(mesh.device() + ".network", network(node, mesh, usesExit)));
        }
        return files;
    }

    private static String device(NodeInterface mesh, boolean usesExit) {
        StringBuilder text = new StringBuilder(256 + 256 * mesh.links().size());
        text.append("[NetDev]\nKind=wireguard\n");
        line(text, "Name", mesh.device());
        line(text, "Description", "WireGuard subnet " + mesh.subnet());
        text.append("\n[WireGuard]\n");
        mesh.privateKeyFile().ifPresent(file -> line(text, "PrivateKeyFile", file));
        mesh.listenPort().ifPresent(port -> line(text, "ListenPort", port));
        line(text, "RouteTable", usesExit ? TABLE : "main");
        if (usesExit) {
            line(text, "FirewallMark", MARK);
        }
        mesh.links().forEach(link -> peer(text, link));
        return text.toString();
    }

    private static void peer(StringBuilder text, MeshLink link) {
        text.append("\n# ").append(link.peer()).append("\n[WireGuardPeer]\n");
        line(text, "PublicKey", link.publicKey());
        link.presharedKeyFile().ifPresent(file -> line(text, "PresharedKeyFile", file));
        link.allowedIps().forEach(prefix -> line(text, "AllowedIPs", prefix));
        link.endpoint().ifPresent(endpoint -> line(text, "Endpoint", endpoint));
        link.keepaliveSeconds().ifPresent(seconds -> line(text, "PersistentKeepalive", seconds));
    }

    private static String network(NodeView node, NodeInterface mesh, boolean usesExit) {
        StringBuilder text = new StringBuilder();
        List<Forward> forwards = node.forwards().stream()
                .filter(forward -> forward.device().equals(mesh.device()))
                .toList();
        if (!forwards.isEmpty()) {
            text.append("# Forwards all packets from peers, as this file has no filter; 'culvert mesh up' has one.\n");
        }
        text.append("[Match]\n");
        line(text, "Name", mesh.device());
        text.append("\n[Network]\n");
        mesh.addresses().forEach(address -> line(text, "Address", address));
        if (usesExit) {
            node.dns().forEach(server -> line(text, "DNS", Prefix.text(server)));
            if (!node.dns().isEmpty()) {
                line(text, "Domains", "~.");
            }
        }
        forwarding(forwards, text);
        if (usesExit) {
            text.append("\n[RoutingPolicyRule]\nFamily=both\nTable=main\nSuppressPrefixLength=0\n");
            line(text, "Priority", PREFERENCE - 1);
            text.append("\n[RoutingPolicyRule]\nFamily=both\nInvertRule=yes\n");
            line(text, "FirewallMark", MARK);
            line(text, "Table", TABLE);
            line(text, "Priority", PREFERENCE);
        }
        return text.toString();
    }

    /**
     * Writes the forwarding settings. {@code IPForward} is for systemd up to 255, where it applies to the whole
     * machine; the others are for later versions, where they apply to the interface. {@code IPMasquerade} translates
     * all packets from the interface's own networks, whatever their destination, and enables the machine's forwarding
     * (systemd: src/network/networkd-address.c, networkd-sysctl.c).
     */
    private static void forwarding(List<Forward> forwards, StringBuilder text) {
        Set<Family> forwarded = families(forwards.stream());
        if (forwarded.isEmpty()) {
            return;
        }
        line(text, "IPForward", word(forwarded, "yes"));
        forwarded.forEach(family -> line(text, family.text() + "Forwarding", "yes"));
        Set<Family> masqueraded = families(forwards.stream().filter(Forward::masquerade));
        if (masqueraded.isEmpty()) {
            return;
        }
        if (forwards.stream().anyMatch(forward -> forward.direction() == Direction.OUTWARD)) {
            text.append("# Not only to the internet: packets to networks behind this node get its address, too.\n");
        }
        line(text, "IPMasquerade", word(masqueraded, "both"));
    }

    private static Set<Family> families(Stream<Forward> forwards) {
        Set<Family> families = EnumSet.noneOf(Family.class);
        forwards.forEach(forward -> {
            Set<Family> destinations = families(forward.destinations());
            destinations.retainAll(families(forward.sources()));
            families.addAll(destinations);
        });
        return families;
    }

    private static Set<Family> families(List<Prefix> prefixes) {
        return prefixes.stream()
                .map(Prefix::family)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(Family.class)));
    }

    private static String word(Set<Family> families, String both) {
        return families.size() == Family.values().length ? both : families.contains(Family.IPV4) ? "ipv4" : "ipv6";
    }

    private static void line(StringBuilder text, String key, Object value) {
        text.append(key).append('=').append(value).append('\n');
    }
}
