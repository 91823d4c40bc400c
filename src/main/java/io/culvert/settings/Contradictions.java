package io.culvert.settings;

import io.culvert.ip.Coverage;
import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import io.culvert.ip.Transport;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Checks for settings that are valid alone but not together. Invalid settings are ignored, as they are reported
 * elsewhere.
 */
final class Contradictions {

    private final Values values;
    private final Problems problems;

    Contradictions(Values values, Problems problems) {
        this.values = values;
        this.problems = problems;
    }

    void check() {
        mesh();
        login();
        proxy();
        published();
        together(
                Catalogue.HOLEPUNCH,
                values.find(Catalogue.HOLEPUNCH).orElse(List.of()).stream()
                        .flatMap(entry ->
                                entry instanceof Holepunch.ToPrefix to ? Stream.of(to.prefix()) : Stream.empty())
                        .toList());
        together(
                Catalogue.LAN_ALLOW,
                values.find(Catalogue.LAN_ALLOW).map(LanAllow::prefixes).orElse(List.of()));
        if (values.find(Catalogue.WIREGUARD_IMPLEMENTATION)
                .equals(Optional.of(WireGuardSettings.Implementation.KERNEL))) {
            withoutEffect(
                    List.of(Catalogue.WIREGUARD_MEMORY),
                    Catalogue.WIREGUARD_IMPLEMENTATION,
                    values.written(Catalogue.WIREGUARD_IMPLEMENTATION) + " is kernel");
        }
    }

    /**
     * Rejects lists that cover most of the internet together, though each of their prefixes looks like an exception.
     */
    private void together(Setting<?> setting, List<Prefix> prefixes) {
        Coverage.mostOf(prefixes)
                .ifPresent(family -> problems.add(Problem.input(
                        values.place(setting),
                        "the networks together cover most of the " + (family == Family.IPV4 ? "IPv4" : "IPv6")
                                + " internet, which would bypass the tunnel",
                        "list only the networks to reach outside the tunnel")));
    }

    private void mesh() {
        Optional<MeshSettings.Kind> kind = values.find(Catalogue.MESH);
        if (kind.isEmpty()) {
            return;
        }
        boolean wireguard = kind.get() == MeshSettings.Kind.WIREGUARD;
        if (wireguard && !values.isGiven(Catalogue.MESH_CONFIG)) {
            problems.add(Problem.input(
                    values.place(Catalogue.MESH),
                    "set to wireguard without a file of the mesh interface",
                    "set " + Catalogue.MESH_CONFIG.name() + " to a wg-quick file, or to a network file with "
                            + Catalogue.MESH_NODE.name()));
        }
        if (!wireguard && values.isGiven(Catalogue.MESH_CONFIG)) {
            problems.add(Problem.input(
                    values.place(Catalogue.MESH_CONFIG),
                    "has no effect with " + Catalogue.MESH.name() + "=" + kind.get(),
                    "set " + Catalogue.MESH.name() + "=wireguard, or unset " + values.written(Catalogue.MESH_CONFIG)));
        }
        if (values.isGiven(Catalogue.MESH_NODE) && !values.isGiven(Catalogue.MESH_CONFIG)) {
            problems.add(Problem.input(
                    values.place(Catalogue.MESH_NODE),
                    "set without a network file",
                    "set " + Catalogue.MESH_CONFIG.name() + " to the network file, with " + Catalogue.MESH.name()
                            + "=wireguard"));
        }
    }

    private void login() {
        boolean user = values.isGiven(Catalogue.SOCKS_USER);
        boolean password = values.isGiven(Catalogue.SOCKS_PASSWORD);
        if (user && !password) {
            problems.add(Problem.input(
                    values.place(Catalogue.SOCKS_USER),
                    "set without a password",
                    "set " + Setting.fileVariable(Catalogue.SOCKS_PASSWORD.name())
                            + " to the path of a file that contains it"));
        }
        if (password && !user) {
            problems.add(Problem.input(
                    values.place(Catalogue.SOCKS_PASSWORD),
                    "set without a user name",
                    "set " + Catalogue.SOCKS_USER.name() + " too"));
        }
    }

    private void proxy() {
        Optional<Boolean> enabled = values.find(Catalogue.SOCKS);
        if (values.isGiven(Catalogue.SOCKS_TIMEIN)) {
            problems.add(Problem.note(
                    values.place(Catalogue.SOCKS_TIMEIN), "ignored, because the proxy starts without a delay"));
        }
        List<Setting<?>> ownFileRules =
                List.of(Catalogue.SOCKS_PORT, Catalogue.SOCKS_ALLOW, Catalogue.SOCKS_USER, Catalogue.SOCKS_PASSWORD);
        if (enabled.equals(Optional.of(false))) {
            String because = values.written(Catalogue.SOCKS) + " is not true";
            withoutEffect(List.of(Catalogue.SOCKS_CONFIG), Catalogue.SOCKS, because);
            withoutEffect(ownFileRules, Catalogue.SOCKS, because);
        } else if (enabled.isPresent() && values.isGiven(Catalogue.SOCKS_CONFIG)) {
            for (Setting<?> setting : ownFileRules) {
                if (values.isGiven(setting)) {
                    problems.add(Problem.note(
                            values.place(setting),
                            "has no effect, because " + values.written(Catalogue.SOCKS_CONFIG) + " is set"));
                }
            }
        } else if (enabled.isPresent()) {
            openProxy();
        }
    }

    private void openProxy() {
        boolean anyone =
                values.find(Catalogue.SOCKS_ALLOW).orElse(List.of()).stream().anyMatch(Prefix::isDefault);
        if (anyone && !values.isGiven(Catalogue.SOCKS_PASSWORD)) {
            problems.add(Problem.warning(
                    values.place(Catalogue.SOCKS_ALLOW),
                    "any client that reaches the port can use the proxy without authentication",
                    "list your networks, or set " + Catalogue.SOCKS_USER.name() + " and "
                            + Catalogue.SOCKS_PASSWORD.name()));
        }
    }

    private void published() {
        Set<Published> seen = new HashSet<>();
        for (Published port : values.find(Catalogue.PUBLISH).orElse(List.of())) {
            if (!seen.add(port)) {
                problems.add(Problem.note(values.place(Catalogue.PUBLISH), "contains " + port + " twice"));
            }
        }
        boolean ownPort = values.find(Catalogue.SOCKS).orElse(false) && !values.isGiven(Catalogue.SOCKS_CONFIG);
        Optional<Published> proxy = values.find(Catalogue.SOCKS_PORT).map(port -> new Published(port, Transport.TCP));
        if (ownPort && proxy.isPresent() && seen.contains(proxy.get())) {
            problems.add(Problem.note(
                    values.place(Catalogue.PUBLISH),
                    "contains " + proxy.get() + ", the port of the proxy, which is opened automatically"));
        }
    }

    private void withoutEffect(List<? extends Setting<?>> settings, Setting<?> other, String because) {
        for (Setting<?> setting : settings) {
            if (values.isGiven(setting)) {
                problems.add(Problem.warning(
                        values.place(setting),
                        "has no effect while " + because,
                        "remove it, or change " + values.written(other)));
            }
        }
    }
}
