// SPDX-License-Identifier: Apache-2.0
package io.culvert.tunnel;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.dns.ResolvConfFile;
import io.culvert.linux.HostLookup;
import io.culvert.net.Host;
import io.culvert.plan.PlanText;
import io.culvert.plan.TunnelInputs;
import io.culvert.plan.TunnelPlan;
import io.culvert.requirements.ResolverWait;
import io.culvert.requirements.TunnelFile;
import io.culvert.routing.ActiveTunnels;
import io.culvert.rtnl.Machine;
import io.culvert.rtnl.NetworkState;
import io.culvert.rtnl.Ownership;
import io.culvert.rtnl.RouteLookup;
import io.culvert.rtnl.UdpPorts;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.runtime.MachineLock;
import io.culvert.status.WgShowText;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.WireGuardDevice;
import io.culvert.wireguard.device.WireGuardDevices;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A standalone tunnel from one wg-quick file, as wg-quick makes it, but atomically. No process keeps running except
 * userspace WireGuard, where the kernel has no WireGuard; {@link #down} finds links, routes and rules by Culvert's
 * ownership marks.
 */
public final class StandaloneTunnel {

    private final Environment environment;
    private final Log log;

    public StandaloneTunnel(Environment environment) {
        this.environment = environment;
        this.log = environment.log();
    }

    /**
     * Brings the tunnel up; where it is up already, applies the file's current content. While the machine's resolver
     * does not respond, it waits, without the lock, and nothing has changed.
     *
     * @param killSwitch whether to block all traffic outside the tunnel until it is taken down
     * @throws ProblemException with all problems; then nothing has changed
     */
    public void up(String fileOrName, boolean killSwitch) {
        TunnelFile tunnelFile = TunnelFile.of(fileOrName, environment.root());
        WireGuardConfig file = tunnelFile.readIncomplete(log, killSwitch);
        // What is wrong already is reported before a long wait.
        Map<Host.Name, HostLookup.Result> lookups =
                new ResolverWait(log, () -> check(tunnelFile, file, killSwitch)).lookUp(file.hostNames());
        MachineLock.runLocked(environment, () -> {
            try (KernelConnections kernel = KernelConnections.open(environment);
                    ExitNodeLock exitNodeLock = ExitNodeLock.take()) {
                Machine machine = kernel.machine();
                NetworkState before = kernel.network().observe();
                WireGuardDevices devices = devices();
                log.problems(check(tunnelFile, file, killSwitch, kernel, exitNodeLock, machine, before, devices));
                TunnelPlan plan =
                        plan(file, kernel, machine, before, otherUdpPorts(devices, file.name()), killSwitch, lookups);
                log.problems(plan.remarks());
                tunnelChange(kernel, devices, before)
                        .start(
                                plan,
                                machine.links().contains(file.name()),
                                killSwitch
                                        || new ActiveTunnels(before)
                                                .tunnelWithKillSwitch()
                                                .isPresent());
                plan.directNetworks()
                        .forEach(network -> log.info("network: " + network
                                + " is connected to this machine, so it bypasses the tunnel (although AllowedIPs"
                                + " includes it)"));
                log.info(file.name() + " is up");
            }
        });
    }

    private void check(TunnelFile tunnelFile, WireGuardConfig file, boolean killSwitch) {
        MachineLock.runLocked(environment, () -> {
            try (KernelConnections kernel = KernelConnections.open(environment);
                    ExitNodeLock exitNodeLock = ExitNodeLock.take()) {
                NetworkState before = kernel.network().observe();
                check(tunnelFile, file, killSwitch, kernel, exitNodeLock, kernel.machine(), before, devices());
            }
        });
    }

    private static List<Problem> check(
            TunnelFile tunnelFile,
            WireGuardConfig file,
            boolean killSwitch,
            KernelConnections kernel,
            ExitNodeLock exitNodeLock,
            Machine machine,
            NetworkState before,
            WireGuardDevices devices) {
        return new TunnelChecks(
                        tunnelFile.path(),
                        file,
                        machine,
                        before,
                        exitNodeLock.isExitNodePresent(kernel.nftables(), before))
                .check(killSwitch, isForeign(file.name(), machine, devices), kernel.nftables()::probe);
    }

    /** Takes the tunnel down, also where only a part of it is left; idempotent. */
    public void down(String fileOrName) {
        String name = TunnelFile.of(fileOrName, environment.root()).interfaceName();
        MachineLock.runLocked(environment, () -> {
            try (KernelConnections kernel = KernelConnections.open(environment);
                    ExitNodeLock exitNodeLock = ExitNodeLock.take()) {
                WireGuardDevices devices = devices();
                NetworkState before = kernel.network().observe();
                TunnelChecks.requireChangeable(
                        name,
                        isForeign(name, kernel.machine(), devices),
                        exitNodeLock.isExitNodePresent(kernel.nftables(), before));
                boolean wasUp = tunnelChange(kernel, devices, before).stop(name);
                log.info(name + (wasUp ? " is down" : " was not up"));
            }
        });
    }

    /** Returns the state of one tunnel, or of all of Culvert's. */
    public String show(Optional<String> fileOrName, boolean json) {
        try (KernelConnections kernel = KernelConnections.open(environment)) {
            Optional<String> requestedName = fileOrName.map(
                    text -> TunnelFile.of(text, environment.root()).interfaceName());
            Map<String, DeviceState> states = new TreeMap<>();
            WireGuardDevices devices = devices();
            kernel.network().observe().links().stream()
                    .map(link -> link.name())
                    .filter(name ->
                            requestedName.isEmpty() || requestedName.get().equals(name))
                    .forEach(name -> devices.find(name).ifPresent(device -> {
                        states.put(name, device.read());
                        device.close();
                    }));
            if (requestedName.isPresent() && states.isEmpty()) {
                throw new ProblemException(Problem.failure(
                        Location.machine(requestedName.get()), "is not up", "start it with 'culvert tunnel up'"));
            }
            WgShowText text = new WgShowText(states);
            return json ? text.json().toString() : text.text(environment.clock().instant());
        }
    }

    /** Returns what {@link #up} would do; changes nothing. */
    public String plan(String fileOrName, boolean killSwitch, boolean json) {
        WireGuardConfig file = TunnelFile.of(fileOrName, environment.root()).readIncomplete(log, killSwitch);
        try (KernelConnections kernel = KernelConnections.open(environment)) {
            TunnelPlan plan = plan(
                    file,
                    kernel,
                    kernel.machine(),
                    kernel.network().observe(),
                    otherUdpPorts(devices(), file.name()),
                    killSwitch,
                    file.hostNames().stream()
                            .distinct()
                            .collect(Collectors.toMap(name -> name, name -> HostLookup.of(name.name()))));
            log.problems(plan.remarks());
            PlanText text = PlanText.of(plan);
            return json ? text.json(List.of()).toString() : text.text();
        }
    }

    /** Returns the UDP ports in use by anything but this tunnel. */
    private Set<Integer> otherUdpPorts(WireGuardDevices devices, String name) {
        Set<Integer> ports = UdpPorts.inUse(environment.root());
        devices.find(name).ifPresent(device -> {
            ports.remove(device.read().listenPort());
            device.close();
        });
        return ports;
    }

    private static TunnelPlan plan(
            WireGuardConfig file,
            KernelConnections kernel,
            Machine machine,
            NetworkState before,
            Set<Integer> otherUdpPorts,
            boolean killSwitch,
            Map<Host.Name, HostLookup.Result> lookups) {
        boolean killSwitchActive =
                new ActiveTunnels(before).tunnelWithKillSwitch().isPresent();
        return TunnelPlan.of(TunnelInputs.of(file, machine, new RouteLookup(kernel.route())::mtu, it -> {
            it.names = TunnelFile.resolvedNames(lookups, machine);
            it.current = before;
            it.udpPorts = otherUdpPorts;
            it.killSwitch = killSwitch || killSwitchActive;
        }));
    }

    private TunnelChange tunnelChange(KernelConnections kernel, WireGuardDevices devices, NetworkState before) {
        return new TunnelChange(kernel, devices, new ResolvConfFile(environment.resolvConf()), log, before);
    }

    private static boolean isForeign(String name, Machine machine, WireGuardDevices devices) {
        if (!machine.links().contains(name)) {
            return false;
        }
        Optional<WireGuardDevice> ownDevice = devices.find(name);
        ownDevice.ifPresent(WireGuardDevice::close);
        return ownDevice.isEmpty();
    }

    private WireGuardDevices devices() {
        return WireGuardDevices.withDefaults(Ownership.ALIAS);
    }
}
