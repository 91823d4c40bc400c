// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.mesh.Mesh;
import io.culvert.mesh.NoMesh;
import io.culvert.mesh.WireGuardMesh;
import io.culvert.net.MaskedMark;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.process.Children;
import io.culvert.process.ProgramDirectories;
import io.culvert.process.Reaper;
import io.culvert.process.Redactor;
import io.culvert.process.Supervisor;
import io.culvert.reconcile.EventQueue;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.Ownership;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.settings.HttpToken;
import io.culvert.settings.Login;
import io.culvert.settings.Password;
import io.culvert.settings.Settings;
import io.culvert.settings.TailscaleSettings;
import io.culvert.tailscale.TailscaleMesh;
import io.culvert.tailscale.TailscaleProgram;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.device.ManagedDevice;
import io.culvert.wireguard.device.UserspaceProgram;
import io.culvert.wireguard.device.WireGuardDevices;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The components of an exit node, assembled and not started.
 *
 * @param inputs of the first plan
 */
record Components(
        Environment environment,
        LoadedConfiguration configuration,
        KernelConnections kernel,
        EventQueue<ExitNodeEvent> events,
        ExitNodeInputs inputs,
        KillSwitch killSwitch,
        Supervisor supervisor,
        Redactor redactor,
        WireGuardDevices devices,
        ManagedDevice tunnel,
        Mesh mesh,
        Proxies proxies,
        DnsService dns) {

    static Components assemble(
            Environment environment,
            LoadedConfiguration configuration,
            KernelConnections kernel,
            Machine machine,
            EventQueue<ExitNodeEvent> events) {
        Settings settings = configuration.settings();
        DnsService dns = new DnsService(
                environment,
                configuration,
                machine.connected(),
                () -> settings.mesh().tailscale().stream()
                        .anyMatch(it -> it.acceptsDns() && kernel.links().exists(it.interfaceName())),
                () -> events.add(new ExitNodeEvent.NamesChanged()));
        Proxies proxies = new Proxies(environment, settings, configuration.sockd());
        ExitNodeInputs inputs = configuration.inputs(dns.runtimeResolvers(), machine);
        Children children = new Children(environment.system().programs());
        Reaper.installAsInit(children);
        Redactor redactor = new Redactor(secrets(settings));
        Supervisor supervisor = new Supervisor(
                children,
                Supervisor.RESTARTS,
                environment.system().threads(),
                redactor,
                event -> events.add(new ExitNodeEvent.Child(event)));
        WireGuardDevices devices = devices(settings, supervisor, environment);
        return new Components(
                environment,
                configuration,
                kernel,
                events,
                inputs,
                new KillSwitch(kernel.nftables(), kernel.network(), permittedMarks(configuration)),
                supervisor,
                redactor,
                devices,
                keptDevice(devices, configuration.identity().link(), kernel),
                mesh(configuration, devices::managed, environment, supervisor, events, dns),
                proxies,
                dns);
    }

    private static List<MaskedMark> permittedMarks(LoadedConfiguration configuration) {
        boolean tailscale = configuration.settings().mesh().tailscale().isPresent();
        return configuration.identity().marks().exempt(tailscale);
    }

    /**
     * Returns the components of a changed configuration: those that it does not concern are the same, and the others have not
     * been changed on the machine yet, except that mesh interfaces that are gone are removed, and Tailscale is stopped if it has
     * to be started with other settings.
     */
    Components with(LoadedConfiguration changed) {
        Settings settings = changed.settings();
        redactor.add(secrets(settings));
        if (!keys(changed).equals(keys(configuration))) {
            dns.setConfiguration(changed);
        }
        proxies.setConfiguration(changed);
        Mesh nextMesh = mesh;
        if (mesh instanceof WireGuardMesh wireGuard) {
            wireGuard.setInterfaces(changed.meshes());
        } else if (restartsTailscale(changed)) {
            mesh.detach();
            nextMesh = mesh(changed, devices::managed, environment, supervisor, events, dns);
        }
        return new Components(
                environment,
                changed,
                kernel,
                events,
                inputs,
                killSwitch,
                supervisor,
                redactor,
                devices,
                tunnel,
                nextMesh,
                proxies,
                dns);
    }

    /** Returns whether a changed configuration requires a restart of Tailscale, which reads its settings at the start only. */
    boolean restartsTailscale(LoadedConfiguration changed) {
        // A changed key is used at the next login only, for which its file is read again.
        return !changed.settings()
                .mesh()
                .tailscale()
                .map(TailscaleSettings::withoutSecrets)
                .equals(configuration.settings().mesh().tailscale().map(TailscaleSettings::withoutSecrets));
    }

    private static List<SecretKey> keys(LoadedConfiguration configuration) {
        return configuration.servers().stream()
                .map(server -> server.config().privateKey())
                .toList();
    }

    private static Mesh mesh(
            LoadedConfiguration configuration,
            Function<String, ManagedDevice> device,
            Environment environment,
            Supervisor supervisor,
            EventQueue<ExitNodeEvent> events,
            DnsService dns) {
        return switch (configuration.settings().mesh().kind()) {
            case NONE -> new NoMesh();
            case WIREGUARD ->
                new WireGuardMesh(
                        configuration.meshes(),
                        device,
                        configuration.identity().marks().tunnel(),
                        dns::resolvedNames,
                        environment.clock(),
                        environment.log().prefixed("mesh: "));
            case TAILSCALE ->
                new TailscaleMesh(
                        tailscale(environment, configuration.settings()).orElseThrow(),
                        supervisor,
                        update -> events.add(new ExitNodeEvent.DeferredUpdate(update)),
                        problem -> environment.log().problems(List.of(problem)),
                        environment.log().prefixed("mesh: "));
        };
    }

    /** Returns Tailscale's programs, where the mesh is Tailscale. */
    static Optional<TailscaleProgram> tailscale(Environment environment, Settings settings) {
        return settings.mesh()
                .tailscale()
                .map(it -> new TailscaleProgram(it, ProgramDirectories.configured(), environment.root()));
    }

    private static WireGuardDevices devices(Settings settings, Supervisor supervisor, Environment environment) {
        return WireGuardDevices.supervised(
                settings.wireGuard().implementation(),
                program(settings),
                supervisor,
                Ownership.ALIAS,
                environment.system().netlink());
    }

    /** Returns access to existing devices, for callers that only read them. */
    static WireGuardDevices devices(Settings settings, Environment environment) {
        return WireGuardDevices.detached(
                settings.wireGuard().implementation(),
                program(settings),
                Ownership.ALIAS,
                environment.system().netlink());
    }

    static UserspaceProgram program(Settings settings) {
        return UserspaceProgram.withDefaults(
                ProgramDirectories.configured(), settings.wireGuard().memory().toString());
    }

    private static ManagedDevice keptDevice(WireGuardDevices devices, String name, KernelConnections kernel) {
        return new ManagedDevice(port -> devices.create(name, port), kernel.links()::exists);
    }

    private static List<String> secrets(Settings settings) {
        return Stream.concat(
                        settings.socks().login().map(Login::password).map(Password::text).stream(),
                        Stream.concat(
                                settings.mesh().tailscale().stream().flatMap(it -> it.secrets().stream()),
                                settings.http().token().map(HttpToken::text).stream()))
                .toList();
    }
}
