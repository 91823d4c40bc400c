package io.culvert.tunnel;

import io.culvert.device.DeviceState;
import io.culvert.device.WireGuardDevice;
import io.culvert.device.WireGuardDevices;
import io.culvert.dns.ResolvConfFile;
import io.culvert.needs.TunnelFile;
import io.culvert.network.Machine;
import io.culvert.network.NetworkState;
import io.culvert.network.Ownership;
import io.culvert.network.Paths;
import io.culvert.network.UdpPorts;
import io.culvert.plan.PlanText;
import io.culvert.plan.TunnelInputs;
import io.culvert.plan.TunnelPlan;
import io.culvert.plan.Tunnels;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.run.Journal;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.run.Turn;
import io.culvert.status.TunnelText;
import io.culvert.wireguard.WireGuardConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A standalone tunnel from one wg-quick file, as wg-quick makes it, but atomically. No process keeps running except
 * userspace WireGuard, where the kernel has no WireGuard; {@link #down} finds links, routes and rules by Culvert's
 * ownership marks.
 */
public final class TunnelAlone {

    private final Surroundings around;
    private final Journal journal;

    public TunnelAlone(Surroundings around) {
        this.around = around;
        this.journal = around.journal();
    }

    /**
     * Brings the tunnel up; where it is up already, applies the file's current content.
     *
     * @param killSwitch whether to block all traffic outside the tunnel until it is taken down
     * @throws ProblemException with all problems; then nothing has changed
     */
    public void up(String fileOrName, boolean killSwitch) {
        TunnelFile at = TunnelFile.of(fileOrName, around.root());
        WireGuardConfig file = at.readPart(journal, killSwitch);
        Turn.take(around, () -> {
            try (Kernel kernel = Kernel.open(around);
                    ChainClaim claim = ChainClaim.take()) {
                Machine machine = kernel.machine();
                NetworkState before = kernel.network().observe();
                WireGuardDevices devices = devices();
                new TunnelChecks(at.path(), file, machine, before, claim.isRefused(kernel.nftables(), before))
                        .of(killSwitch, foreign(file.name(), machine, devices), kernel.nftables()::probe)
                        .forEach(problem -> journal.problems(List.of(problem)));
                TunnelPlan plan = plan(file, kernel, machine, before, udpPorts(devices, file.name()), killSwitch);
                journal.problems(plan.remarks());
                change(kernel, devices, before)
                        .raise(
                                plan,
                                machine.links().contains(file.name()),
                                killSwitch || new Tunnels(before).killSwitch().isPresent());
                plan.direct()
                        .forEach(network -> journal.info("network: " + network
                                + " is connected to this machine, so it bypasses the tunnel (although AllowedIPs"
                                + " includes it)"));
                journal.info(file.name() + " is up");
            }
        });
    }

    /** Takes the tunnel down, also where only a part of it is left; idempotent. */
    public void down(String fileOrName) {
        String name = TunnelFile.of(fileOrName, around.root()).interfaceName();
        Turn.take(around, () -> {
            try (Kernel kernel = Kernel.open(around);
                    ChainClaim claim = ChainClaim.take()) {
                WireGuardDevices devices = devices();
                NetworkState before = kernel.network().observe();
                TunnelChecks.refuse(
                        name, foreign(name, kernel.machine(), devices), claim.isRefused(kernel.nftables(), before));
                boolean was = change(kernel, devices, before).lower(name);
                journal.info(name + (was ? " is down" : " was not up"));
            }
        });
    }

    /** Returns the state of one tunnel, or of all of Culvert's. */
    public String show(Optional<String> fileOrName, boolean json) {
        try (Kernel kernel = Kernel.open(around)) {
            Optional<String> wanted =
                    fileOrName.map(one -> TunnelFile.of(one, around.root()).interfaceName());
            Map<String, DeviceState> states = new TreeMap<>();
            WireGuardDevices devices = devices();
            kernel.network().observe().links().stream()
                    .map(link -> link.name())
                    .filter(name -> wanted.isEmpty() || wanted.get().equals(name))
                    .forEach(name -> devices.find(name).ifPresent(device -> {
                        states.put(name, device.read());
                        device.close();
                    }));
            if (wanted.isPresent() && states.isEmpty()) {
                throw new ProblemException(
                        Problem.failure(Place.machine(wanted.get()), "is not up", "start it with 'culvert tunnel up'"));
            }
            TunnelText text = new TunnelText(states);
            return json ? text.json().toString() : text.text(around.clock().instant());
        }
    }

    /** Returns what {@link #up} would do; changes nothing. */
    public String plan(String fileOrName, boolean killSwitch, boolean json) {
        WireGuardConfig file = TunnelFile.of(fileOrName, around.root()).readPart(journal, killSwitch);
        try (Kernel kernel = Kernel.open(around)) {
            TunnelPlan plan = plan(
                    file,
                    kernel,
                    kernel.machine(),
                    kernel.network().observe(),
                    udpPorts(devices(), file.name()),
                    killSwitch);
            journal.problems(plan.remarks());
            PlanText text = PlanText.of(plan);
            return json ? text.json(List.of()).toString() : text.text();
        }
    }

    /** Returns the UDP ports in use by anything but this tunnel. */
    private Set<Integer> udpPorts(WireGuardDevices devices, String name) {
        Set<Integer> ports = UdpPorts.inUse(around.root());
        devices.find(name).ifPresent(device -> {
            ports.remove(device.read().listenPort());
            device.close();
        });
        return ports;
    }

    private static TunnelPlan plan(
            WireGuardConfig file,
            Kernel kernel,
            Machine machine,
            NetworkState before,
            Set<Integer> udpPorts,
            boolean killSwitch) {
        boolean standing = new Tunnels(before).killSwitch().isPresent();
        return TunnelPlan.of(new TunnelInputs(
                file,
                machine,
                TunnelFile.resolve(file, machine),
                new Paths(kernel.route())::mtu,
                before,
                udpPorts,
                killSwitch || standing,
                Map.of()));
    }

    private TunnelChange change(Kernel kernel, WireGuardDevices devices, NetworkState before) {
        return new TunnelChange(kernel, devices, new ResolvConfFile(around.resolvConf()), journal, before);
    }

    private static boolean foreign(String name, Machine machine, WireGuardDevices devices) {
        if (!machine.links().contains(name)) {
            return false;
        }
        Optional<WireGuardDevice> ours = devices.find(name);
        ours.ifPresent(WireGuardDevice::close);
        return ours.isEmpty();
    }

    private WireGuardDevices devices() {
        return WireGuardDevices.usual(Ownership.ALIAS);
    }
}
