package io.culvert.exitnode;

import io.culvert.device.KeptDevice;
import io.culvert.device.UserspaceProgram;
import io.culvert.device.WireGuardDevices;
import io.culvert.mesh.Mesh;
import io.culvert.mesh.NoMesh;
import io.culvert.mesh.WireGuardMesh;
import io.culvert.mesh.tailscale.TailscaleMesh;
import io.culvert.mesh.tailscale.TailscaleProgram;
import io.culvert.network.Machine;
import io.culvert.network.Ownership;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.plan.Marks;
import io.culvert.process.BackOff;
import io.culvert.process.Children;
import io.culvert.process.ProgramDirectories;
import io.culvert.process.Reaper;
import io.culvert.process.Redactor;
import io.culvert.process.Supervisor;
import io.culvert.process.Timing;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.settings.Password;
import io.culvert.settings.Settings;
import io.culvert.settings.SocksSettings.Login;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongPredicate;
import java.util.stream.Stream;

/**
 * The components of an exit node, assembled and not started.
 *
 * @param inputs of the first plan
 */
record Parts(
        Surroundings around,
        Reading reading,
        Kernel kernel,
        Wakeups wakeups,
        ExitNodeInputs inputs,
        Guard guard,
        Supervisor supervisor,
        KeptDevice tunnel,
        Mesh mesh,
        Proxy proxy,
        NameService names) {

    static Parts assemble(Surroundings around, Reading reading, Kernel kernel, Machine machine, Wakeups wakeups) {
        Settings settings = reading.settings();
        NameService names = new NameService(
                around,
                reading,
                machine.connected(),
                () -> settings.mesh().tailscale().stream()
                        .anyMatch(it -> it.acceptsDns() && kernel.links().exists(it.link())),
                () -> wakeups.add(new Event.NamesChanged()));
        Proxy proxy = new Proxy(around, settings, reading.sockd());
        ExitNodeInputs inputs = reading.inputs(names.runtimeResolvers(), machine);
        Children children = new Children();
        Reaper.installAsInit(children);
        Supervisor supervisor = new Supervisor(
                children,
                BackOff.USUAL,
                Timing.REAL,
                new Redactor(secrets(settings)),
                event -> wakeups.add(new Event.Child(event)));
        WireGuardDevices devices = devices(settings, supervisor);
        return new Parts(
                around,
                reading,
                kernel,
                wakeups,
                inputs,
                new Guard(kernel.nftables(), kernel.network(), marks(settings)),
                supervisor,
                kept(devices, ExitNodePlan.TUNNEL, kernel),
                mesh(reading, devices::kept, around, supervisor, wakeups, names),
                proxy,
                names);
    }

    private static LongPredicate marks(Settings settings) {
        Marks marks = Marks.withTunnel(settings.mark());
        boolean tailscale = settings.mesh().tailscale().isPresent();
        return mark -> marks.mayLeave(mark, tailscale);
    }

    ExitNodePlan plan() {
        return ExitNodePlanner.plan(inputs);
    }

    private static Mesh mesh(
            Reading reading,
            Function<String, KeptDevice> device,
            Surroundings around,
            Supervisor supervisor,
            Wakeups wakeups,
            NameService names) {
        return switch (reading.settings().mesh().kind()) {
            case NONE -> new NoMesh();
            case WIREGUARD ->
                new WireGuardMesh(
                        reading.meshes(),
                        device,
                        reading.settings().mark(),
                        names::known,
                        around.clock(),
                        news -> around.journal().info("mesh: " + news));
            case TAILSCALE ->
                new TailscaleMesh(
                        tailscale(around, reading.settings()).orElseThrow(),
                        supervisor,
                        takeIn -> wakeups.add(new Event.Learned(takeIn)),
                        problem -> around.journal().problems(List.of(problem)),
                        news -> around.journal().info("mesh: " + news));
        };
    }

    /** Returns Tailscale's programs, where the mesh is Tailscale. */
    static Optional<TailscaleProgram> tailscale(Surroundings around, Settings settings) {
        return settings.mesh()
                .tailscale()
                .map(it -> new TailscaleProgram(it, ProgramDirectories.told(), around.root()));
    }

    private static WireGuardDevices devices(Settings settings, Supervisor supervisor) {
        return WireGuardDevices.supervised(choice(settings), program(settings), supervisor, Ownership.ALIAS);
    }

    /** Returns access to existing devices, for callers that only read them. */
    static WireGuardDevices devices(Settings settings) {
        return WireGuardDevices.lasting(choice(settings), program(settings), Ownership.ALIAS);
    }

    private static WireGuardDevices.Choice choice(Settings settings) {
        return switch (settings.wireGuard().implementation()) {
            case AUTO -> WireGuardDevices.Choice.AUTO;
            case KERNEL -> WireGuardDevices.Choice.KERNEL;
            case USERSPACE -> WireGuardDevices.Choice.USERSPACE;
        };
    }

    static UserspaceProgram program(Settings settings) {
        return UserspaceProgram.usual(
                ProgramDirectories.told(), settings.wireGuard().memory().toString());
    }

    private static KeptDevice kept(WireGuardDevices devices, String name, Kernel kernel) {
        return new KeptDevice(port -> devices.create(name, port), kernel.links()::exists);
    }

    private static List<String> secrets(Settings settings) {
        return Stream.concat(
                        settings.socks().login().map(Login::password).map(Password::text).stream(),
                        settings.mesh().tailscale().stream().flatMap(it -> it.secrets().stream()))
                .toList();
    }
}
