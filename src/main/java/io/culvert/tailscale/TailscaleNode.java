// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.settings.GoFlags;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The running Tailscale node, controlled over the LocalAPI. Each call waits for tailscaled's responses. */
record TailscaleNode(LocalApi api) {

    /** Limits the burst; the other peers reconnect automatically some seconds later. */
    private static final int MAX_PINGS = 64;

    /**
     * The result of {@link #applyPreferences}.
     *
     * @param status the status afterwards
     * @param acceptsRoutes whether this node accepts the routes that peers advertise
     * @param exitNode the exit node that this node used itself and that was cleared
     * @param offered whether this node is advertised as an exit node
     * @param applied flags that were applied over the LocalAPI
     * @param needingLogin flags that take effect only after another login
     * @param forwards whether the kernel forwards packets
     */
    record Applied(
            TailscaleStatus status,
            boolean acceptsRoutes,
            Optional<String> exitNode,
            boolean offered,
            List<String> applied,
            List<String> needingLogin,
            boolean forwards) {}

    /**
     * Brings the node's preferences to the desired state.
     *
     * @param firstLoginArguments the arguments of a node to which containerboot passes them only at its first login
     */
    Applied applyPreferences(boolean offered, Optional<GoFlags> firstLoginArguments) throws IOException {
        JsonObject preferences = api.preferences();
        // First, as a node that uses an exit node cannot be one (tailscale: ipn/ipnlocal, checkExitNodePrefsLocked).
        Optional<ExitNodeInUse> exitNode = ExitNodeInUse.findIn(preferences);
        if (exitNode.isPresent()) {
            api.edit(exitNode.get().edit());
        }
        List<String> applied = new ArrayList<>();
        List<String> needingLogin = new ArrayList<>();
        if (firstLoginArguments.isPresent()) {
            SavedStateDifference savedState = SavedStateDifference.compare(preferences, firstLoginArguments.get());
            if (savedState.edit().isPresent()) {
                api.edit(savedState.edit().get());
            }
            applied.addAll(savedState.edited());
            needingLogin.addAll(savedState.needingLogin());
        }
        Optional<JsonObject> offer = ExitNodeAdvertisement.edit(preferences, offered);
        if (offer.isPresent()) {
            api.edit(offer.get());
        }
        boolean acceptsRoutes = api.preferences().getBoolean("RouteAll", false);
        return new Applied(
                api.status(true),
                acceptsRoutes,
                exitNode.map(ExitNodeInUse::name),
                offered,
                applied,
                needingLogin,
                api.forwardingWarning().isEmpty());
    }

    /**
     * Starts sessions with all peers that are online. A restarted node has none, and a peer that still sends
     * in its old session abandons that only after 15 s (WireGuard protocol: REKEY_TIMEOUT and KEEPALIVE_TIMEOUT).
     */
    void pingPeers() throws IOException {
        api.status(true).onlinePeers().stream()
                .limit(MAX_PINGS)
                .forEach(peer -> Thread.ofVirtual().name("tailscale-ping").start(() -> pingPeer(peer)));
    }

    private void pingPeer(InetAddress peer) {
        try {
            api.ping(peer);
        } catch (IOException _) {
            // The peer is not reachable.
        }
    }
}
