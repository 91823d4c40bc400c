// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import java.util.Map;

/** Client and LAN host run the ordinary Tailscale, in a Headscale's tailnet. */
record TailscaleDemoMesh(Lab lab) implements DemoMesh {

    private static final String NODE = "exit";
    private static final int PORT = 41641;
    private static final String MAGIC_DNS = "100.100.100.100";

    @Override
    public String title() {
        return "Tailscale exit node in a Headscale's tailnet";
    }

    @Override
    public Map<String, String> settings() {
        return lab.headscale().settings(NODE, lab.headscale().key());
    }

    @Override
    public String allowPackets(Observer observer) {
        observer.allowTailscale(PORT);
        return "Tailscale's own packets";
    }

    @Override
    public void useExitNode() {
        lab.laptop().tailscale().awaitPeer(NODE);
        lab.phone().useExitNode(NODE).tailscale().awaitDirect(NODE);
    }

    @Override
    public String resolverAddress() {
        return MAGIC_DNS;
    }

    @Override
    public String proxyAddress() {
        return lab.node().tailscale().address(Family.IPV4);
    }
}
