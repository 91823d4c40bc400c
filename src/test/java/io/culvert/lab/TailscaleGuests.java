package io.culvert.lab;

import io.culvert.ip.Family;
import java.util.Map;

/** Client and neighbour have the ordinary Tailscale, in the tailnet of a Headscale. */
record TailscaleGuests(Lab lab) implements Guests {

    private static final String NODE = "exit";
    private static final int PORT = 41641;
    private static final String MAGIC_DNS = "100.100.100.100";

    @Override
    public String title() {
        return "as a node of a Headscale's tailnet";
    }

    @Override
    public Map<String, String> settings() {
        return lab.headscale().settings(NODE, lab.headscale().key());
    }

    @Override
    public String allowed(Observer observer) {
        observer.allowTailscale(PORT);
        return "Tailscale's";
    }

    @Override
    public void exit() {
        lab.laptop().tailscale().awaitPeer(NODE);
        lab.phone().useExitNode(NODE).tailscale().awaitDirect(NODE);
    }

    @Override
    public String resolver() {
        return MAGIC_DNS;
    }

    @Override
    public String proxy() {
        return lab.node().tailscale().address(Family.IPV4);
    }
}
