package io.culvert.mesh.tailscale;

import io.culvert.settings.GoFlags;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The running Tailscale node, controlled over the LocalAPI. Each call waits for tailscaled's responses. */
record Node(LocalApi api) {

    /** Limits the burst; the other peers reconnect automatically some seconds later. */
    private static final int GREETED_AT_ONCE = 64;

    /**
     * The result of {@link #settle}.
     *
     * @param status the status afterwards
     * @param acceptsRoutes whether this node accepts the routes that peers advertise
     * @param exitNode the exit node that this node used itself and that was cleared
     * @param offered whether this node is advertised as an exit node
     * @param set flags that were applied over the LocalAPI
     * @param kept flags that take effect only after another login
     * @param forwards whether the kernel forwards packets
     */
    record Settled(
            NodeStatus status,
            boolean acceptsRoutes,
            Optional<String> exitNode,
            boolean offered,
            List<String> set,
            List<String> kept,
            boolean forwards) {}

    /**
     * Brings the node's preferences to the wanted state.
     *
     * @param once the arguments of a node to which containerboot passes them only at its first login
     */
    Settled settle(boolean offered, Optional<GoFlags> once) throws IOException {
        JsonObject preferences = api.preferences();
        // First, as a node that uses an exit node cannot be one (tailscale: ipn/ipnlocal, checkExitNodePrefsLocked).
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
     * Starts sessions with all peers that are online. A restarted node has none, and a peer that still sends
     * in its old session abandons that only after 15 s (WireGuard protocol: REKEY_TIMEOUT and KEEPALIVE_TIMEOUT).
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
            // The peer is not reachable.
        }
    }
}
