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

/** What is said of a file's hooks where there is no exit node to take their place. */
final class TunnelHooks {

    private final boolean killSwitch;

    TunnelHooks(boolean killSwitch) {
        this.killSwitch = killSwitch;
    }

    /** The problems of a file, with these words for hooks. */
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
                                place, hook.key() + " is a kill switch: it is not run, --kill-switch is in its place")
                        : Problem.warning(
                                place,
                                hook.key() + " is a kill switch: it is not run, so packets may leave beside the tunnel",
                                "add --kill-switch");
            case RESOLVER ->
                Problem.note(
                        place, hook.key() + " sets a resolver: it is not run, DNS= says what resolv.conf is to name");
            case FORWARDING ->
                Problem.warning(
                        place,
                        hook.key() + " forwards and translates packets: it is not run",
                        "let 'culvert up' do this, or your firewall, and delete the line");
            case LAN_BYPASS ->
                killSwitch
                        ? Problem.warning(
                                place,
                                hook.key() + " lets a local network pass by the tunnel: it is not run",
                                "delete the line; where a local network has to stay open, use 'culvert up' with CULVERT_LAN_ALLOW")
                        : Problem.note(
                                place,
                                hook.key()
                                        + " lets a local network pass by the tunnel: it is not run, for routes of main"
                                        + " to local networks win anyway");
            case UNKNOWN ->
                Problem.warning(
                        place,
                        hook.key() + " would run " + hook.program() + ": it is not run, Culvert runs no hooks",
                        "do this outside of Culvert, and delete the line");
        };
    }
}
