// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.firewall.KillSwitchRuleset;
import io.culvert.linux.Descriptor;
import io.culvert.linux.NetworkNamespace;
import io.culvert.linux.Sysctl;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.plan.NamespacePlan;
import io.culvert.plan.ResolvedNames;
import io.culvert.rtnl.Ipv6;
import io.culvert.rtnl.NetworkEvents;
import io.culvert.rtnl.Ownership;
import io.culvert.rtnl.RouteLookup;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.wireguard.config.WireGuardConfig;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.ManagedDevice;
import io.culvert.wireguard.device.WireGuardDevice;
import io.culvert.wireguard.device.WireGuardDevice.Implementation;
import io.culvert.wireguard.device.WireGuardDevices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;

/**
 * The only interface of a namespace besides loopback. The device is created outside, where its socket stays, and then
 * moved into the namespace. Not thread-safe; called by a thread outside the namespace.
 */
final class ConfinedTunnel {

    /**
     * Differs from the alias of Culvert's other links: another part of Culvert would remove a link with that alias as
     * a leftover while it is outside the namespace.
     */
    private static final String ALIAS = "culvert-confined";

    /** Sysctls whose values are copied from outside, as programs depend on them. */
    private static final List<String> COPIED_SYSCTLS =
            List.of("net/ipv4/ping_group_range", "net/ipv4/ip_unprivileged_port_start");

    private final Environment environment;
    private final String outerLinkName;
    private final NetworkNamespace namespace;
    private final WireGuardConfig config;
    private final NamespaceRequest request;
    private final UnaryOperator<NamespacePlan> planChange;
    private final OptionalInt outerMtu;
    private final WireGuardDevices devices;
    private final ManagedDevice device;
    private ResolvedNames names;

    /**
     * Creates the tunnel without its device, which {@link #start} creates.
     *
     * @param planChange applied to the plan, to insert relays between the device and the servers
     * @param outerMtu in bytes, where it cannot be derived from the routes of this namespace
     */
    ConfinedTunnel(
            Environment environment,
            String outerLinkName,
            NetworkNamespace namespace,
            WireGuardConfig config,
            NamespaceRequest request,
            UnaryOperator<NamespacePlan> planChange,
            OptionalInt outerMtu,
            ResolvedNames names) {
        this.environment = environment;
        this.outerLinkName = outerLinkName;
        this.namespace = namespace;
        this.config = config;
        this.request = request;
        this.planChange = planChange;
        this.outerMtu = outerMtu;
        this.names = names;
        this.devices = WireGuardDevices.withDefaults(ALIAS);
        this.device = new ManagedDevice(
                _ -> createDevice(), _ -> inNamespace(kernel -> kernel.links().exists(config.name())));
    }

    /**
     * Creates everything, and removes what an earlier process left behind. The kill switch is applied before the link
     * exists.
     */
    NamespacePlan start() {
        prepareNamespace();
        NamespacePlan plan = plan();
        inNamespace(kernel -> {
            applyKillSwitch(kernel.nftables(), plan);
            return plan;
        });
        device.ensure(plan.device());
        return plan;
    }

    /**
     * Reverts external changes, and recreates a missing device.
     *
     * @return whether anything was changed
     */
    boolean restore() {
        NamespacePlan plan = plan();
        boolean killSwitchRestored = inNamespace(kernel -> {
            boolean intact = kernel.nftables().matches(plan.ruleset());
            if (!intact) {
                applyKillSwitch(kernel.nftables(), plan);
            }
            return !intact;
        });
        boolean deviceRestored = device.ensure(plan.device());
        boolean networkRestored =
                inNamespace(kernel -> !kernel.network().apply(plan.inside()).isEmpty());
        return killSwitchRestored || deviceRestored || networkRestored;
    }

    /** Changes the endpoints of peers whose server names now resolve to other addresses. */
    void updateEndpoints(ResolvedNames newNames) {
        names = newNames;
        device.ensure(plan().device());
    }

    /** Resets the endpoints of servers that have roamed to the configured ones. */
    void resetEndpoints() {
        device.resetEndpoints();
    }

    /** Returns the state of the device; empty if it is missing or does not respond. */
    Optional<DeviceState> readDevice() {
        return device.read();
    }

    String implementation() {
        return device.implementation();
    }

    /** Starts to report network changes inside the namespace. */
    NetworkEvents watchNetwork() {
        return callInNamespace(() -> NetworkEvents.open(_ -> false));
    }

    /** Deletes the device, which leaves the namespace with loopback only. */
    void stop() {
        deleteDevice();
    }

    private void prepareNamespace() {
        Sysctl sysctl = new Sysctl(environment.root().resolve("proc/sys"));
        List<Optional<String>> values =
                COPIED_SYSCTLS.stream().map(sysctl::read).toList();
        inNamespace(kernel -> {
            for (int i = 0; i < COPIED_SYSCTLS.size(); i++) {
                String name = COPIED_SYSCTLS.get(i);
                values.get(i).ifPresent(value -> sysctl.write(name, value));
            }
            kernel.links().setUp("lo");
            return true;
        });
    }

    private NamespacePlan plan() {
        Ipv6 ipv6 = inNamespace(kernel -> kernel.machine().ipv6().inOwnNamespace(kernel.sysctl()));
        try (KernelConnections outside = KernelConnections.open(environment)) {
            return planChange.apply(NamespacePlan.of(
                    config,
                    outside.machine(),
                    names,
                    new RouteLookup(outside.route())::mtu,
                    ipv6,
                    outerMtu,
                    request.inboundPorts()));
        }
    }

    /** Applies the kill switch, and removes other tables, which may be the user's rules of an earlier run. */
    private void applyKillSwitch(Nftables nftables, NamespacePlan plan) {
        nftables.apply(plan.ruleset());
        List<Table.Id> others = new ArrayList<>(nftables.tables());
        others.remove(KillSwitchRuleset.TABLE);
        nftables.remove(others);
        request.firewallRules().ifPresent(rules -> nftables.load(rules, readRules(rules)));
    }

    private static String readRules(Path rules) {
        try {
            return Files.readString(rules);
        } catch (IOException e) {
            throw new ProblemException(Problem.input(
                    Location.file(rules),
                    "cannot be read: " + e.getMessage(),
                    "use a readable file of nftables rules with --firewall"));
        }
    }

    /** Replaces what is left of an earlier device. */
    private WireGuardDevice createDevice() {
        deleteDevice();
        NamespacePlan plan = plan();
        WireGuardDevice created = devices.create(outerLinkName, plan.device().listenPort());
        try (KernelConnections outside = KernelConnections.open(environment);
                Descriptor target = Descriptor.open(namespace.path(), Descriptor.Access.READ)) {
            // A userspace program sees changes of its link only in this namespace, so it is configured before the link
            // is moved.
            outside.links().setUp(outerLinkName, plan.mtu());
            created.configure(plan.device());
            outside.links().move(outerLinkName, target, plan.link());
        }
        inNamespace(kernel -> {
            kernel.network().apply(plan.inside());
            // Needed for answers to redirected DNS queries, which may be addressed to 127.0.0.1.
            kernel.sysctl().write("net/ipv4/conf/" + plan.link() + "/route_localnet", "1");
            return true;
        });
        if (created.implementation() != Implementation.KERNEL) {
            return created;
        }
        created.close();
        return callInNamespace(() ->
                WireGuardDevices.withDefaults(Ownership.ALIAS).find(plan.link()).orElseThrow());
    }

    private void deleteDevice() {
        device.close();
        devices.removeMoved(outerLinkName);
        devices.find(outerLinkName).ifPresent(leftover -> {
            leftover.remove();
            leftover.close();
        });
        inNamespace(kernel -> {
            kernel.links().delete(config.name());
            return true;
        });
    }

    /** A task with connections to the kernel in one network namespace. */
    private interface KernelTask<T> {
        T run(KernelConnections kernel);
    }

    private <T> T inNamespace(KernelTask<T> task) {
        return callInNamespace(() -> {
            try (KernelConnections kernel = KernelConnections.open(environment)) {
                return task.run(kernel);
            }
        });
    }

    private <T> T callInNamespace(Callable<T> task) {
        try {
            return namespace.call(task);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
