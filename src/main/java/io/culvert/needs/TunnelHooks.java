package io.culvert.needs;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.wireguard.Hook;
import io.culvert.wireguard.WireGuardConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The warnings and notes about a file's hooks for a standalone tunnel, where no exit node does what they would. */
final class TunnelHooks {

    private final boolean killSwitch;

    TunnelHooks(boolean killSwitch) {
        this.killSwitch = killSwitch;
    }

    /** Returns the problems of a file, with those about hooks worded for a standalone tunnel. */
    List<Problem> reworded(List<Problem> problems, WireGuardConfig file) {
        Map<Integer, Hook> hooks =
                file.hooks().stream().collect(Collectors.toMap(Hook::line, Function.identity(), (first, _) -> first));
        return problems.stream()
                .map(problem -> hook(problem, hooks)
                        .map(hook -> remark(hook, problem.place()))
                        .orElse(problem))
                .toList();
    }

    private static Optional<Hook> hook(Problem problem, Map<Integer, Hook> hooks) {
        return problem.place() instanceof Place.InFile place
                ? Optional.ofNullable(hooks.get(place.line()))
                : Optional.empty();
    }

    private Problem remark(Hook hook, Place place) {
        return switch (hook.intent()) {
            case KILL_SWITCH ->
                killSwitch
                        ? Problem.note(
                                place, hook.key() + " is a kill switch: it is not run, as --kill-switch replaces it")
                        : Problem.warning(
                                place,
                                hook.key() + " is a kill switch: it is not run, so packets may bypass the tunnel",
                                "add --kill-switch");
            case RESOLVER ->
                Problem.note(place, hook.key() + " sets a resolver: it is not run, as DNS= sets the resolvers");
            case FORWARDING ->
                Problem.warning(
                        place,
                        hook.key() + " sets up forwarding or NAT: it is not run",
                        "use 'culvert up' or your own firewall for this, and delete the line");
            case LAN_BYPASS ->
                killSwitch
                        ? Problem.warning(
                                place,
                                hook.key() + " lets a local network bypass the tunnel: it is not run",
                                "delete the line; to allow a local network, use 'culvert up' with CULVERT_LAN_ALLOW")
                        : Problem.note(
                                place,
                                hook.key()
                                        + " lets a local network bypass the tunnel: it is not run, as routes of the"
                                        + " main table to local networks take precedence anyway");
            case UNKNOWN ->
                Problem.warning(
                        place,
                        hook.key() + " would run " + hook.program() + ": it is not run, as Culvert runs no hooks",
                        "run it outside Culvert, and delete the line");
        };
    }
}
