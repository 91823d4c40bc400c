package io.culvert.mesh.tailscale;

import io.culvert.settings.GoFlags;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The running node, brought to where it should be by asking tailscaled. Each call waits for answers. */
record Node(LocalApi api) {

    /** More would be a storm; those that are left out come back by themselves, some seconds later. */
    private static final int GREETED_AT_ONCE = 64;

    /**
     * @param status after everything was done
     * @param acceptsRoutes whether routes that peers announce are this node's too
     * @param exitNode that the node itself left by, and does no more
     * @param offered whether peers are told that they may exit here
     * @param set flags that had to be set by us
     * @param kept flags that hold only after another login
     * @param forwards whether the kernel forwards what is routed through this node
     */
    record Settled(
            NodeStatus status,
            boolean acceptsRoutes,
            Optional<String> exitNode,
            boolean offered,
            List<String> set,
            List<String> kept,
            boolean forwards) {}

    /** @param once the arguments of a node that is told them only at its first login */
    Settled settle(boolean offered, Optional<GoFlags> once) throws IOException {
        JsonObject preferences = api.preferences();
        // First, as a node that uses an exit node may not be one (tailscale: ipn/ipnlocal, checkExitNodePrefsLocked).
        Optional<ExitNodeInUse> exitNode = ExitNodeInUse.in(preferences);
        if (exitNode.isPresent()) {
            api.edit(exitNode.get().edit());
        }
        List<String> set = new ArrayList<>();
        List<String> kept = new ArrayList<>();
        if (once.isPresent()) {
            Remembered remembered = Remembered.of(preferences, once.get());
            if (remembered.edit().isPresent()) {
                api.edit(remembered.edit().get());
            }
            set.addAll(remembered.edited());
            kept.addAll(remembered.kept());
        }
        Optional<JsonObject> offer = Offer.edit(preferences, offered);
        if (offer.isPresent()) {
            api.edit(offer.get());
        }
        boolean acceptsRoutes = api.preferences().getBoolean("RouteAll", false);
        return new Settled(
                api.status(true),
                acceptsRoutes,
                exitNode.map(ExitNodeInUse::name),
                offered,
                set,
                kept,
                api.forwardingWarning().isEmpty());
    }

    /**
     * Makes sessions with all peers that are online. A node that was started anew has none, and a peer that goes on sending
     * into its old one gives that up only after 15 s (WireGuard's protocol: REKEY_TIMEOUT and KEEPALIVE_TIMEOUT).
     */
    void greetPeers() throws IOException {
        api.status(true).awakePeers().stream()
                .limit(GREETED_AT_ONCE)
                .forEach(peer -> Thread.ofVirtual().name("greeting").start(() -> greet(peer)));
    }

    private void greet(InetAddress peer) {
        try {
            api.ping(peer);
        } catch (IOException _) {
            // It is not there after all.
        }
    }
}
