// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;

/** Creates the warning or note about a hook, which depends on the use of the file. */
@FunctionalInterface
public interface HookProblems {

    Problem problem(Hook hook, Location location);

    /** Returns the problem of a hook in a file for an exit node. */
    static Problem forExitNode(Hook hook, Location location) {
        return switch (hook.intent()) {
            case KILL_SWITCH ->
                Problem.note(location, hook.key() + " is a kill switch: not run, Culvert has its own kill switch");
            case RESOLVER -> Problem.note(location, hook.key() + " sets a DNS server: not run, the DNS stub does this");
            case FORWARDING ->
                Problem.note(
                        location, hook.key() + " forwards and masquerades packets: not run, the exit node does this");
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
}
