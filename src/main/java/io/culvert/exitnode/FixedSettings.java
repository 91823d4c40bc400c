// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.settings.Settings;
import io.culvert.settings.TailscaleSettings;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;

/** The settings that cannot be changed while the exit node runs, because what they decide exists from the start to the end. */
final class FixedSettings {

    private record Fixed(String name, Function<Settings, Object> value) {}

    private static final List<Fixed> ALL = List.of(
            new Fixed("CULVERT_MESH", settings -> settings.mesh().kind()),
            new Fixed("CULVERT_MARK", Settings::mark),
            new Fixed("CULVERT_CONTAINER", Settings::container),
            new Fixed(
                    "CULVERT_WIREGUARD_IMPLEMENTATION",
                    settings -> settings.wireGuard().implementation()),
            new Fixed(
                    "CULVERT_WIREGUARD_MEMORY", settings -> settings.wireGuard().memory()),
            new Fixed("CULVERT_SERVER_ORDER", settings -> settings.wireGuard().order()),
            new Fixed("CULVERT_SERVER_RETURN", settings -> settings.wireGuard().returnAfter()),
            new Fixed("CULVERT_PROBE", settings -> settings.wireGuard().probe()),
            new Fixed(
                    "TS_TAILSCALED_EXTRA_ARGS (--tun)",
                    settings -> settings.mesh().tailscale().map(TailscaleSettings::interfaceName)),
            new Fixed("TS_ACCEPT_DNS", settings -> settings.mesh().tailscale().map(TailscaleSettings::acceptsDns)));

    private FixedSettings() {}

    /** Returns a problem for each of them that differs. */
    static List<Problem> changed(Settings running, Settings requested) {
        // With another kind of mesh, the settings of the mesh are not comparable.
        Stream<Fixed> compared = running.mesh().kind() == requested.mesh().kind()
                ? ALL.stream()
                : ALL.stream().filter(fixed -> !fixed.name().startsWith("TS_"));
        return compared.filter(fixed -> !Objects.equals(
                        fixed.value().apply(running), fixed.value().apply(requested)))
                .map(fixed -> Problem.failure(
                        Location.setting(fixed.name()),
                        "cannot be changed while the exit node runs, so nothing is changed",
                        "restart Culvert, or restore the previous value"))
                .toList();
    }
}
