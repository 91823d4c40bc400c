// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Problems;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** Reads all settings and collects all problems with them. */
public final class SettingsReader {

    private final Map<String, String> given;
    private final FileRoot root;

    /** @param root the root directory of the paths in settings; {@code /} except in tests */
    public SettingsReader(Map<String, String> environment, Path root) {
        this.given = Map.copyOf(environment);
        this.root = new FileRoot(root);
    }

    /** Reads the settings. Invalid input does not throw; it is reported in the problems of the result. */
    public LoadedSettings read() {
        Problems problems = new Problems();
        SettingsFile file = SettingsFile.read(given, root, problems);
        GluetunVariables.Translation gluetun = GluetunVariables.translate(file.addedTo(given), root, problems);
        Map<String, String> environment = gluetun.environment();
        Map<String, String> relevant = ServiceLinks.without(environment, SettingNames.all(), problems);
        SettingNames.check(relevant.keySet(), problems);
        SettingValues values = SettingValues.read(relevant, root, problems);
        new SettingConflicts(values, problems).check();
        boolean usesTailscale =
                values.find(Catalogue.MESH).orElse(MeshSettings.Kind.TAILSCALE) == MeshSettings.Kind.TAILSCALE;
        Optional<TailscaleSettings> tailscale =
                usesTailscale ? Optional.of(TailscaleVariables.of(environment, root, problems)) : Optional.empty();
        ConfigFiles files = new ConfigFiles(values, root, problems);
        Optional<Path> mesh = files.file(Catalogue.MESH_CONFIG);
        List<Path> tunnel = gluetun.server().isPresent() ? List.of(WireGuardVariables.NAME) : files.tunnelFiles(mesh);
        Optional<Path> proxy = files.file(Catalogue.SOCKS_CONFIG);
        Optional<Settings> settings =
                problems.hasErrors() ? Optional.empty() : Optional.of(settings(values, tunnel, mesh, proxy, tailscale));
        return new LoadedSettings(
                settings,
                tunnel,
                gluetun.server(),
                mesh,
                values.find(Catalogue.MESH_NODE),
                values.find(Catalogue.CONTAINER),
                problems.all().stream().map(gluetun::located).map(file::located).toList(),
                new SettingsTree(values, tunnel, environment.keySet(), gluetun.origins()),
                sources(file, gluetun, values));
    }

    /** Returns the files and directories that the settings name, whether they exist or not. */
    private List<Path> sources(SettingsFile file, GluetunVariables.Translation gluetun, SettingValues values) {
        return Stream.of(
                        file.path().stream(),
                        gluetun.sources().stream(),
                        valueFiles(gluetun.environment()),
                        Stream.of(values.find(Catalogue.WIREGUARD_CONFIG).orElse(ConfigFiles.DEFAULT_DIRECTORY)),
                        values.find(Catalogue.MESH_CONFIG).stream(),
                        values.find(Catalogue.SOCKS_CONFIG).stream())
                .flatMap(paths -> paths)
                .distinct()
                .map(root::resolve)
                .toList();
    }

    /** Returns the files that contain the value of one setting. */
    private static Stream<Path> valueFiles(Map<String, String> environment) {
        Stream<String> names = Stream.concat(
                Catalogue.all().stream().flatMap(setting -> setting.names().stream()), TailscaleNames.SECRET.stream());
        return names.map(Setting::fileVariable)
                .flatMap(name -> Optional.ofNullable(environment.get(name)).stream())
                .map(String::strip)
                .filter(path -> path.startsWith("/"))
                .flatMap(path -> {
                    try {
                        return Stream.of(FilePath.parse(path));
                    } catch (MalformedValue _) {
                        return Stream.empty(); // Reported with the setting.
                    }
                });
    }

    private static Settings settings(
            SettingValues values,
            List<Path> tunnel,
            Optional<Path> mesh,
            Optional<Path> proxy,
            Optional<TailscaleSettings> tailscale) {
        Optional<Login> login = values.find(Catalogue.SOCKS_USER)
                .flatMap(user -> values.find(Catalogue.SOCKS_PASSWORD).map(password -> new Login(user, password)));
        return new Settings(
                new WireGuardSettings(
                        tunnel,
                        values.get(Catalogue.SERVER_ORDER),
                        values.get(Catalogue.SERVER_RETURN).duration(),
                        values.get(Catalogue.PROBE),
                        values.get(Catalogue.WIREGUARD_IMPLEMENTATION),
                        values.get(Catalogue.WIREGUARD_MEMORY)),
                new MeshSettings(
                        values.get(Catalogue.MESH),
                        mesh,
                        tailscale,
                        values.get(Catalogue.WITHDRAW_AFTER).duration()),
                distinct(values.find(Catalogue.BYPASS)),
                new SocksSettings(
                        values.get(Catalogue.SOCKS),
                        values.get(Catalogue.SOCKS_PORT),
                        values.get(Catalogue.SOCKS_UDP_PORTS),
                        proxy,
                        distinct(values.find(Catalogue.SOCKS_ALLOW)),
                        login),
                values.get(Catalogue.HTTP_PROXY)
                        ? OptionalInt.of(values.get(Catalogue.HTTP_PROXY_PORT))
                        : OptionalInt.empty(),
                values.get(Catalogue.GATEWAY) ? distinct(values.find(Catalogue.GATEWAY_CLIENTS)) : List.of(),
                distinct(values.find(Catalogue.PUBLISH)),
                values.get(Catalogue.LAN_ALLOW),
                distinct(values.find(Catalogue.DNS)),
                values.find(Catalogue.MTU).map(OptionalInt::of).orElse(OptionalInt.empty()),
                values.get(Catalogue.MARK),
                new ForwardedPortSettings(
                        values.get(Catalogue.FORWARDED_PORT),
                        values.find(Catalogue.FORWARDED_PORT_GATEWAY),
                        values.find(Catalogue.FORWARDED_PORT_PATH)),
                new HttpSettings(distinct(values.find(Catalogue.HTTP)), values.find(Catalogue.HTTP_TOKEN)),
                values.get(Catalogue.CONTAINER),
                values.get(Catalogue.LEAK_TEST),
                values.get(Catalogue.LOG));
    }

    private static <T> List<T> distinct(Optional<List<T>> items) {
        return items.orElse(List.of()).stream().distinct().toList();
    }
}
