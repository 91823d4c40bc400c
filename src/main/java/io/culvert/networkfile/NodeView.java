// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.wireguard.config.PublicKey;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * The configuration of one node that follows from the network file.
 *
 * @param external whether the node is not configured by Culvert, such as a phone: then only its files are generated
 * @param interfaces one for each of its subnets, in the order of the file's {@code subnets}
 * @param exitNode its exit node, if it uses one
 * @param forwards what it forwards for its peers
 * @param dns DNS servers, in the files of devices that configure their own
 */
public record NodeView(
        String name,
        PublicKey publicKey,
        boolean external,
        List<NodeInterface> interfaces,
        Optional<UsedExitNode> exitNode,
        List<Forward> forwards,
        List<InetAddress> dns) {

    public NodeView {
        interfaces = List.copyOf(interfaces);
        forwards = List.copyOf(forwards);
        dns = List.copyOf(dns);
    }

    /**
     * The exit node that packets to the internet are sent to; the link's allowed IPs include both default routes.
     *
     * @param device the name of the interface
     */
    public record UsedExitNode(String device, String peer) {}

    /** Returns the hosts entries. The name without the subnet belongs to the first subnet of the peer only. */
    public List<HostsEntry> hosts() {
        return interfaces.stream()
                .flatMap(mesh -> mesh.links().stream())
                .flatMap(link -> link.hosts().stream())
                .toList();
    }
}
