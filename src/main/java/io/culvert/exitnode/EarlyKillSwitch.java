// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.ProblemException;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.linux.Container;
import io.culvert.nft.Nftables;
import java.nio.file.Path;
import java.util.List;

/**
 * The kill switch that is active before the settings are read and before any framework starts: it blocks all traffic, whatever the
 * settings say. So the time in which another process of the network namespace can send outside the tunnel does not depend on them,
 * nor on files, command line and plan. The planned kill switch replaces it in one transaction.
 */
public final class EarlyKillSwitch {

    private static final List<String> HELP = List.of("-h", "--help", "-V", "--version");

    /** Whether {@link #activateFirst} has activated it, in this process. */
    private static boolean activatedFirst;

    private final Nftables nftables;
    private final Container container;
    private final boolean activated;

    private EarlyKillSwitch(Nftables nftables, Container container, boolean activated) {
        this.nftables = nftables;
        this.container = container;
        this.activated = activated;
    }

    /**
     * Activates it if the command line may be one that starts an exit node, in a container that has no kill switch yet. This is the
     * first thing that the program does, so it uses as little of it as possible. A failure is not reported: the start will fail in
     * the same way, and report why.
     *
     * @param arguments of the command line, without those of the launcher
     */
    public static void activateFirst(String... arguments) {
        List<String> words = List.of(arguments);
        boolean up = words.isEmpty()
                || words.getFirst().equals("up")
                || words.getFirst().startsWith("-");
        if (!up || words.stream().anyMatch(HELP::contains)) {
            return;
        }
        if (!Container.beforeSettings(System.getenv(), Path.of("/")).present()) {
            return;
        }
        try (Nftables nftables = Nftables.open()) {
            activatedFirst = activateIfAbsent(nftables);
        } catch (RuntimeException | LinkageError _) {
            // As described above.
        }
    }

    /**
     * Activates it in a container that has no kill switch yet: an existing one may belong to another running Culvert,
     * which must not be cut off. On a machine it does nothing, because a mistyped setting must not lock out its
     * administrator.
     *
     * @param container as far as it is known before the settings are read
     */
    static EarlyKillSwitch activate(Nftables nftables, Container container) {
        return new EarlyKillSwitch(
                nftables, container, activatedFirst || (container.present() && activateIfAbsent(nftables)));
    }

    private static boolean activateIfAbsent(Nftables nftables) {
        try {
            if (nftables.tables().contains(KillSwitchRuleset.TABLE)) {
                return false;
            }
            nftables.apply(KillSwitchRuleset.lockdown());
            return true;
        } catch (ProblemException _) {
            return false; // The planned kill switch will fail too, and report why.
        }
    }

    /**
     * Replaces the kill switch that an earlier run left, now that no other Culvert is running here: it admits what that
     * run admitted, and any program may have changed it since.
     */
    void replaceLeftover() {
        if (container.present() && !activated) {
            try {
                nftables.apply(KillSwitchRuleset.lockdown());
            } catch (ProblemException _) {
                // As above.
            }
        }
    }

    /** Logs that the kill switch of a container stays active after the program has exited. */
    static void logStaysActive(Container container, Log log) {
        log.info("kill switch: stays active because this is a container (" + container.reason() + ")");
    }

    /**
     * Handles a refused start: in a container the kill switch stays active, on a machine the state before is restored.
     *
     * @param settled whether this is a container according to the settings
     */
    void handleRefusedStart(Container settled, Log log) {
        if (settled.present()) {
            logStaysActive(settled, log);
        } else if (activated) {
            nftables.remove(KillSwitchRuleset.ALL);
        }
    }
}
