package io.culvert.topology;

import io.culvert.wireguard.PublicKey;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * Everything that the network file means for one node.
 *
 * @param external whether the node is set up by its own means, such as a phone: then only its files are made
 * @param interfaces one for each of its subnets, in the order of the file's {@code subnets}
 * @param leaving where all its packets leave, if not by its own uplink
 * @param forwards what it passes on for others
 * @param dns name servers, for the files of devices that set their own
 */
public record NodeView(
        String name,
        PublicKey publicKey,
        boolean external,
        List<MeshInterface> interfaces,
        Optional<Leaving> leaving,
        List<Forward> forwards,
        List<InetAddress> dns) {

    public NodeView {
        interfaces = List.copyOf(interfaces);
        forwards = List.copyOf(forwards);
        dns = List.copyOf(dns);
    }

    /**
     * Where packets to the internet go: the link's allowed IPs are both whole families.
     *
     * @param device the interface's name
     */
    public record Leaving(String device, String peer) {}

    /** What belongs into the hosts file; the plain {@code <peer>} stands with its first subnet only. */
    public List<HostsEntry> hosts() {
        return interfaces.stream()
                .flatMap(mesh -> mesh.links().stream())
                .flatMap(link -> link.hosts().stream())
                .toList();
    }
}
