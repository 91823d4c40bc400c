// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;

/** What a wg-quick file is used for, which decides what happens instead of its hooks. */
public enum FileUse {
    EXIT_NODE {
        @Override
        Problem hookProblem(Hook hook, Location location) {
            return switch (hook.intent()) {
                case KILL_SWITCH ->
                    Problem.note(location, hook.key() + " is a kill switch: not run, Culvert has its own kill switch");
                case RESOLVER ->
                    Problem.note(location, hook.key() + " sets a DNS server: not run, the DNS stub does this");
                case FORWARDING ->
                    Problem.note(
                            location,
                            hook.key() + " forwards and masquerades packets: not run, the exit node does this");
                case LAN_BYPASS ->
                    Problem.warning(
                            location,
                            hook.key() + " lets a local network bypass the tunnel: not run",
                            "add that network to CULVERT_LAN_ALLOW and delete this line");
                case UNKNOWN ->
                    Problem.warning(
                            location,
                            hook.key() + " would run " + hook.program() + ": not run, Culvert runs no hooks",
                            "run this command outside Culvert and delete this line");
            };
        }
    },

    /** A tunnel without a mesh. */
    TUNNEL {
        @Override
        Problem hookProblem(Hook hook, Location location) {
            return switch (hook.intent()) {
                case KILL_SWITCH ->
                    Problem.warning(
                            location,
                            hook.key() + " is a kill switch: it is not run, so packets may bypass the tunnel",
                            "add --kill-switch");
                case LAN_BYPASS ->
                    Problem.note(
                            location,
                            hook.key()
                                    + " lets a local network bypass the tunnel: it is not run, as routes of the"
                                    + " main table to local networks take precedence anyway");
                case RESOLVER, FORWARDING, UNKNOWN -> tunnelHookProblem(hook, location);
            };
        }
    },

    TUNNEL_WITH_KILL_SWITCH {
        @Override
        Problem hookProblem(Hook hook, Location location) {
            return switch (hook.intent()) {
                case KILL_SWITCH ->
                    Problem.note(
                            location, hook.key() + " is a kill switch: it is not run, as --kill-switch replaces it");
                case LAN_BYPASS ->
                    Problem.warning(
                            location,
                            hook.key() + " lets a local network bypass the tunnel: it is not run",
                            "delete the line; to allow a local network, use 'culvert up' with CULVERT_LAN_ALLOW");
                case RESOLVER, FORWARDING, UNKNOWN -> tunnelHookProblem(hook, location);
            };
        }
    };

    /** Returns the warning or note about a hook, which is never run. */
    abstract Problem hookProblem(Hook hook, Location location);

    private static Problem tunnelHookProblem(Hook hook, Location location) {
        return switch (hook.intent()) {
            case RESOLVER ->
                Problem.note(location, hook.key() + " sets a resolver: it is not run, as DNS= sets the resolvers");
            case FORWARDING ->
                Problem.warning(
                        location,
                        hook.key() + " sets up forwarding or NAT: it is not run",
                        "use 'culvert up' or your own firewall for this, and delete the line");
            default ->
                Problem.warning(
                        location,
                        hook.key() + " would run " + hook.program() + ": it is not run, as Culvert runs no hooks",
                        "run it outside Culvert, and delete the line");
        };
    }
}
