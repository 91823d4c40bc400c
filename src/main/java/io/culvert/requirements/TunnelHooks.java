// SPDX-License-Identifier: Apache-2.0
package io.culvert.requirements;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.wireguard.config.Hook;
import io.culvert.wireguard.config.HookProblems;

/** Creates the warnings and notes about the hooks of a file for a standalone tunnel. */
final class TunnelHooks implements HookProblems {

    private final boolean killSwitch;

    TunnelHooks(boolean killSwitch) {
        this.killSwitch = killSwitch;
    }

    @Override
    public Problem problem(Hook hook, Location location) {
        return switch (hook.intent()) {
            case KILL_SWITCH ->
                killSwitch
                        ? Problem.note(
                                location, hook.key() + " is a kill switch: it is not run, as --kill-switch replaces it")
                        : Problem.warning(
                                location,
                                hook.key() + " is a kill switch: it is not run, so packets may bypass the tunnel",
                                "add --kill-switch");
            case RESOLVER ->
                Problem.note(location, hook.key() + " sets a resolver: it is not run, as DNS= sets the resolvers");
            case FORWARDING ->
                Problem.warning(
                        location,
                        hook.key() + " sets up forwarding or NAT: it is not run",
                        "use 'culvert up' or your own firewall for this, and delete the line");
            case LAN_BYPASS ->
                killSwitch
                        ? Problem.warning(
                                location,
                                hook.key() + " lets a local network bypass the tunnel: it is not run",
                                "delete the line; to allow a local network, use 'culvert up' with CULVERT_LAN_ALLOW")
                        : Problem.note(
                                location,
                                hook.key()
                                        + " lets a local network bypass the tunnel: it is not run, as routes of the"
                                        + " main table to local networks take precedence anyway");
            case UNKNOWN ->
                Problem.warning(
                        location,
                        hook.key() + " would run " + hook.program() + ": it is not run, as Culvert runs no hooks",
                        "run it outside Culvert, and delete the line");
        };
    }
}
