// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import io.culvert.net.Coverage;
import io.culvert.net.Port;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.wireguard.device.ImplementationChoice;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Checks for settings that are valid alone but not together. Invalid settings are ignored, as they are reported
 * elsewhere.
 */
final class SettingConflicts {

    /** In tinyproxy 1.11.1, BasicAuth takes words of these characters (tinyproxy.conf(5)). */
    private static final Pattern HTTP_PROXY_PASSWORD = Pattern.compile("[A-Za-z0-9._-]+");

    private final SettingValues values;
    private final Problems problems;

    SettingConflicts(SettingValues values, Problems problems) {
        this.values = values;
        this.problems = problems;
    }

    void check() {
        checkMesh();
        checkLogin();
        checkSocks();
        checkHttpProxy();
        checkGateway();
        checkPublished();
        checkForwardedPort();
        checkHttp();
        checkCoverage(
                Catalogue.BYPASS,
                values.find(Catalogue.BYPASS).orElse(List.of()).stream()
                        .flatMap(entry -> entry instanceof BypassEntry.ToPrefix to
                                ? Stream.of(to.bypass().destination())
                                : Stream.empty())
                        .toList());
        checkCoverage(
                Catalogue.LAN_ALLOW,
                values.find(Catalogue.LAN_ALLOW).map(LanAllow::prefixes).orElse(List.of()));
        if (values.find(Catalogue.WIREGUARD_IMPLEMENTATION).equals(Optional.of(ImplementationChoice.KERNEL))) {
            warnWithoutEffect(
                    List.of(Catalogue.WIREGUARD_MEMORY),
                    Catalogue.WIREGUARD_IMPLEMENTATION,
                    values.nameInUse(Catalogue.WIREGUARD_IMPLEMENTATION) + " is kernel");
        }
    }

    /**
     * Rejects lists that cover most of the internet together, though each of their prefixes looks like an exception.
     */
    private void checkCoverage(Setting<?> setting, List<Prefix> prefixes) {
        Coverage.mostlyCoveredFamily(prefixes)
                .ifPresent(family -> problems.add(Problem.input(
                        values.location(setting),
                        "the networks together cover most of the " + family.text()
                                + " internet, which would bypass the tunnel",
                        "list only the networks to reach outside the tunnel")));
    }

    private void checkMesh() {
        Optional<MeshSettings.Kind> kind = values.find(Catalogue.MESH);
        if (kind.isEmpty()) {
            return;
        }
        boolean wireguard = kind.get() == MeshSettings.Kind.WIREGUARD;
        if (wireguard && !values.isSet(Catalogue.MESH_CONFIG)) {
            problems.add(Problem.input(
                    values.location(Catalogue.MESH),
                    "set to wireguard without a file of the mesh interface",
                    "set " + Catalogue.MESH_CONFIG.name() + " to a wg-quick file, or to a network file with "
                            + Catalogue.MESH_NODE.name()));
        }
        if (!wireguard && values.isSet(Catalogue.MESH_CONFIG)) {
            problems.add(Problem.input(
                    values.location(Catalogue.MESH_CONFIG),
                    "has no effect with " + Catalogue.MESH.name() + "=" + kind.get(),
                    "set " + Catalogue.MESH.name() + "=wireguard, or unset "
                            + values.nameInUse(Catalogue.MESH_CONFIG)));
        }
        if (values.isSet(Catalogue.MESH_NODE) && !values.isSet(Catalogue.MESH_CONFIG)) {
            problems.add(Problem.input(
                    values.location(Catalogue.MESH_NODE),
                    "set without a network file",
                    "set " + Catalogue.MESH_CONFIG.name() + " to the network file, with " + Catalogue.MESH.name()
                            + "=wireguard"));
        }
    }

    private void checkLogin() {
        boolean user = values.isSet(Catalogue.SOCKS_USER);
        boolean password = values.isSet(Catalogue.SOCKS_PASSWORD);
        if (user && !password) {
            problems.add(Problem.input(
                    values.location(Catalogue.SOCKS_USER),
                    "set without a password",
                    "set " + Setting.fileVariable(Catalogue.SOCKS_PASSWORD.name())
                            + " to the path of a file that contains it"));
        }
        if (password && !user) {
            problems.add(Problem.input(
                    values.location(Catalogue.SOCKS_PASSWORD),
                    "set without a user name",
                    "set " + Catalogue.SOCKS_USER.name() + " too"));
        }
    }

    private void checkSocks() {
        Optional<Boolean> enabled = values.find(Catalogue.SOCKS);
        if (values.isSet(Catalogue.SOCKS_TIMEIN)) {
            problems.add(Problem.note(
                    values.location(Catalogue.SOCKS_TIMEIN), "ignored, because the proxy starts without a delay"));
        }
        List<Setting<?>> ownFileRules = new ArrayList<>(List.of(Catalogue.SOCKS_PORT));
        if (!isHttpProxyEnabled()) {
            ownFileRules.addAll(List.of(Catalogue.SOCKS_ALLOW, Catalogue.SOCKS_USER, Catalogue.SOCKS_PASSWORD));
        }
        if (enabled.equals(Optional.of(false))) {
            String reason = values.nameInUse(Catalogue.SOCKS) + " is not true";
            warnWithoutEffect(List.of(Catalogue.SOCKS_CONFIG), Catalogue.SOCKS, reason);
            warnWithoutEffect(ownFileRules, Catalogue.SOCKS, reason);
        } else if (enabled.isPresent() && values.isSet(Catalogue.SOCKS_CONFIG)) {
            for (Setting<?> setting : ownFileRules) {
                if (values.isSet(setting)) {
                    problems.add(Problem.note(
                            values.location(setting),
                            "has no effect, because " + values.nameInUse(Catalogue.SOCKS_CONFIG) + " is set"));
                }
            }
        }
        if (isHttpProxyEnabled() || (enabled.equals(Optional.of(true)) && !values.isSet(Catalogue.SOCKS_CONFIG))) {
            checkOpenProxy();
        }
    }

    private boolean isHttpProxyEnabled() {
        return values.find(Catalogue.HTTP_PROXY).orElse(false);
    }

    private void checkHttpProxy() {
        if (!isHttpProxyEnabled()) {
            if (values.find(Catalogue.HTTP_PROXY).isPresent()) {
                warnWithoutEffect(
                        List.of(Catalogue.HTTP_PROXY_PORT),
                        Catalogue.HTTP_PROXY,
                        values.nameInUse(Catalogue.HTTP_PROXY) + " is not true");
            }
            return;
        }
        values.find(Catalogue.SOCKS_PASSWORD)
                .filter(password ->
                        !HTTP_PROXY_PASSWORD.matcher(password.text()).matches())
                .ifPresent(_ -> problems.add(Problem.input(
                        values.location(Catalogue.SOCKS_PASSWORD),
                        "has characters that tinyproxy, the HTTP proxy, does not support",
                        "use letters, digits, '.', '_' and '-' only, or unset "
                                + values.nameInUse(Catalogue.HTTP_PROXY))));
        Optional<Integer> port = values.find(Catalogue.HTTP_PROXY_PORT);
        boolean isSocksPort = values.find(Catalogue.SOCKS).orElse(false)
                && !values.isSet(Catalogue.SOCKS_CONFIG)
                && port.equals(values.find(Catalogue.SOCKS_PORT));
        HttpSettings http = new HttpSettings(values.find(Catalogue.HTTP).orElse(List.of()), Optional.empty());
        boolean isHttpPort = Stream.concat(http.loopbackPorts().stream(), http.meshPorts().stream())
                .anyMatch(other -> port.equals(Optional.of(other)));
        if (isSocksPort || isHttpPort) {
            problems.add(Problem.input(
                    values.location(Catalogue.HTTP_PROXY_PORT),
                    "port " + port.orElseThrow() + " is also that of "
                            + (isSocksPort ? "the SOCKS5 proxy" : "the HTTP control server"),
                    "use another port for one of them"));
        }
    }

    private void checkOpenProxy() {
        boolean isOpenToAll =
                values.find(Catalogue.SOCKS_ALLOW).orElse(List.of()).stream().anyMatch(Prefix::isDefault);
        if (isOpenToAll && !values.isSet(Catalogue.SOCKS_PASSWORD)) {
            problems.add(Problem.warning(
                    values.location(Catalogue.SOCKS_ALLOW),
                    "any client that reaches the port can use the proxy without authentication",
                    "list your networks, or set " + Catalogue.SOCKS_USER.name() + " and "
                            + Catalogue.SOCKS_PASSWORD.name()));
        }
    }

    private void checkGateway() {
        Optional<Boolean> enabled = values.find(Catalogue.GATEWAY);
        if (enabled.equals(Optional.of(false))) {
            warnWithoutEffect(
                    List.of(Catalogue.GATEWAY_CLIENTS),
                    Catalogue.GATEWAY,
                    values.nameInUse(Catalogue.GATEWAY) + " is not true");
        } else if (enabled.isPresent() && !values.isSet(Catalogue.GATEWAY_CLIENTS)) {
            problems.add(Problem.input(
                    values.location(Catalogue.GATEWAY),
                    "set without the networks whose machines may use this node as their gateway",
                    "set " + Catalogue.GATEWAY_CLIENTS.name() + " to your networks, such as 192.168.1.0/24"));
        }
        Coverage.mostlyCoveredFamily(values.find(Catalogue.GATEWAY_CLIENTS).orElse(List.of()))
                .ifPresent(family -> problems.add(Problem.input(
                        values.location(Catalogue.GATEWAY_CLIENTS),
                        "the networks together cover most of the " + family.text() + " internet",
                        "list only the networks of your own machines")));
    }

    private void checkPublished() {
        Set<Port> ports = new HashSet<>();
        for (Port port : values.find(Catalogue.PUBLISH).orElse(List.of())) {
            if (!ports.add(port)) {
                problems.add(Problem.note(values.location(Catalogue.PUBLISH), "contains " + port + " twice"));
            }
        }
        if (values.find(Catalogue.SOCKS).orElse(false) && !values.isSet(Catalogue.SOCKS_CONFIG)) {
            noteProxyPort(Catalogue.SOCKS_PORT, ports);
        }
        if (isHttpProxyEnabled()) {
            noteProxyPort(Catalogue.HTTP_PROXY_PORT, ports);
        }
    }

    private void noteProxyPort(Setting<Integer> setting, Set<Port> published) {
        values.find(setting)
                .map(port -> new Port(port, Transport.TCP))
                .filter(published::contains)
                .ifPresent(port -> problems.add(Problem.note(
                        values.location(Catalogue.PUBLISH),
                        "contains " + port + ", the port of the proxy, which is opened automatically")));
    }

    private void checkForwardedPort() {
        Optional<ForwardedPortSource> source = values.find(Catalogue.FORWARDED_PORT);
        if (source.isPresent() && source.get() instanceof ForwardedPortSource.Off) {
            warnWithoutEffect(
                    List.of(Catalogue.FORWARDED_PORT_GATEWAY, Catalogue.FORWARDED_PORT_PATH),
                    Catalogue.FORWARDED_PORT,
                    "no port is forwarded");
        }
        if (source.isPresent() && source.get() instanceof ForwardedPortSource.Fixed(int port)) {
            checkForwardedProxy(port, Catalogue.SOCKS, Catalogue.SOCKS_PORT);
            checkForwardedProxy(port, Catalogue.HTTP_PROXY, Catalogue.HTTP_PROXY_PORT);
        }
    }

    private void checkForwardedProxy(int port, Setting<Boolean> proxy, Setting<Integer> proxyPort) {
        if (values.find(proxy).orElse(false) && values.find(proxyPort).equals(Optional.of(port))) {
            problems.add(Problem.input(
                    values.location(Catalogue.FORWARDED_PORT),
                    port + " is the port of a proxy, which would be open to the internet",
                    "set " + proxyPort.name() + " to another port"));
        }
    }

    private void checkHttp() {
        if (values.isSet(Catalogue.HTTP_TOKEN) && !values.isSet(Catalogue.HTTP)) {
            problems.add(Problem.warning(
                    values.location(Catalogue.HTTP_TOKEN),
                    "has no effect, because the HTTP control server is off",
                    "set " + Catalogue.HTTP.name() + " too, for example to 127.0.0.1:8000, or remove it"));
        }
        boolean onMesh = values.find(Catalogue.HTTP).orElse(List.of()).stream()
                .anyMatch(address -> address instanceof HttpAddress.OnMesh);
        if (onMesh && values.find(Catalogue.MESH).equals(Optional.of(MeshSettings.Kind.NONE))) {
            problems.add(Problem.input(
                    values.location(Catalogue.HTTP),
                    "'mesh:' has no addresses with " + Catalogue.MESH.name() + "=none",
                    "use 127.0.0.1 instead of mesh, or set " + Catalogue.MESH.name()));
        }
    }

    private void warnWithoutEffect(List<? extends Setting<?>> settings, Setting<?> other, String reason) {
        for (Setting<?> setting : settings) {
            if (values.isSet(setting)) {
                problems.add(Problem.warning(
                        values.location(setting),
                        "has no effect while " + reason,
                        "remove it, or change " + values.nameInUse(other)));
            }
        }
    }
}
