package io.culvert.confinement;

import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.device.DeviceState;
import io.culvert.device.DeviceState.PeerState;
import io.culvert.device.WireGuardDevice;
import io.culvert.device.WireGuardDevice.Implementation;
import io.culvert.device.WireGuardDevices;
import io.culvert.linux.Descriptor;
import io.culvert.linux.NetworkNamespace;
import io.culvert.linux.Sysctl;
import io.culvert.network.Ipv6;
import io.culvert.network.NetworkEvents;
import io.culvert.network.Ownership;
import io.culvert.network.Paths;
import io.culvert.nft.Nftables;
import io.culvert.nft.Table;
import io.culvert.plan.ConfinementPlan;
import io.culvert.plan.GuardRuleset;
import io.culvert.plan.Names;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.run.Kernel;
import io.culvert.run.Surroundings;
import io.culvert.wireguard.WireGuardConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
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
     * Differs from the alias of our other links, whose owners would remove this one as a leftover while it is outside.
     */
    private static final String ALIAS = "culvert-confined";

    /** Sysctls whose values are copied from outside, as programs depend on them. */
    private static final List<String> INHERITED =
            List.of("net/ipv4/ping_group_range", "net/ipv4/ip_unprivileged_port_start");

    private final Surroundings around;
    private final String outerLink;
    private final NetworkNamespace space;
    private final WireGuardConfig file;
    private final Wish wish;
    private final UnaryOperator<ConfinementPlan> change;
    private final OptionalInt outerMtu;
    private final WireGuardDevices devices;
    private Names names;
    private Optional<WireGuardDevice> device = Optional.empty();

    /**
     * Creates the tunnel without its device, which {@link #raise} makes.
     *
     * @param change applied to the plan, for relays between the device and the servers
     * @param outerMtu in bytes, where it cannot be derived from the routes of this namespace
     */
    ConfinedTunnel(
            Surroundings around,
            String outerLink,
            NetworkNamespace space,
            WireGuardConfig file,
            Wish wish,
            UnaryOperator<ConfinementPlan> change,
            OptionalInt outerMtu,
            Names names) {
        this.around = around;
        this.outerLink = outerLink;
        this.space = space;
        this.file = file;
        this.wish = wish;
        this.change = change;
        this.outerMtu = outerMtu;
        this.names = names;
        this.devices = WireGuardDevices.usual(ALIAS);
    }

    /**
     * Creates everything again, removing what an earlier process left. The kill switch is applied before the link
     * exists.
     */
    ConfinementPlan raise() {
        prepare();
        ConfinementPlan plan = plan();
        inside(kernel -> {
            guard(kernel.nftables(), plan);
            return plan;
        });
        dropDevice();
        moveIn(plan);
        return plan;
    }

    /**
     * Reverts external changes, and recreates a missing device.
     *
     * @return whether anything was changed
     */
    boolean restore() {
        ConfinementPlan plan = plan();
        boolean guarded = inside(kernel -> {
            boolean intact = kernel.nftables().matches(plan.guard());
            if (!intact) {
                guard(kernel.nftables(), plan);
            }
            return !intact;
        });
        if (!inside(kernel -> kernel.links().exists(plan.link())) || read().isEmpty()) {
            dropDevice();
            moveIn(plan);
            return true;
        }
        boolean moved = inside(kernel -> !kernel.network().apply(plan.inside()).isEmpty());
        return guarded || moved;
    }

    /** Changes the endpoints of peers whose server names now resolve to other addresses. */
    void follow(Names now) {
        List<PeerConfig> before = plan().device().peers();
        names = now;
        plan().device().peers().stream()
                .filter(peer -> peer.endpoint().isPresent() && !before.contains(peer))
                .forEach(peer -> device.ifPresent(present ->
                        present.moveEndpoint(peer.publicKey(), peer.endpoint().orElseThrow())));
    }

    /** Returns the state of the device; empty if it is missing or does not respond. */
    Optional<DeviceState> read() {
        try {
            return device.map(WireGuardDevice::read);
        } catch (ProblemException _) {
            return Optional.empty();
        }
    }

    /** Returns the time of the last handshake with any peer. */
    Optional<Instant> lastHandshake() {
        return read().stream()
                .flatMap(state -> state.peers().stream())
                .map(PeerState::lastHandshake)
                .flatMap(Optional::stream)
                .max(Instant::compareTo);
    }

    String implementation() {
        return device.map(present -> present.implementation() == Implementation.KERNEL ? "kernel" : "userspace")
                .orElse("none");
    }

    /** Starts to report network changes inside the namespace. */
    NetworkEvents watch() {
        return insideThread(() -> NetworkEvents.open(_ -> false));
    }

    /** Removes the device, which leaves the namespace with loopback only. */
    void lower() {
        dropDevice();
    }

    private void prepare() {
        Sysctl sysctl = new Sysctl(around.root().resolve("proc/sys"));
        List<Optional<String>> outside = INHERITED.stream().map(sysctl::read).toList();
        inside(kernel -> {
            for (int i = 0; i < INHERITED.size(); i++) {
                String name = INHERITED.get(i);
                outside.get(i).ifPresent(value -> sysctl.write(name, value));
            }
            kernel.links().raise("lo");
            return true;
        });
    }

    private ConfinementPlan plan() {
        Ipv6 ipv6 = inside(kernel -> kernel.machine().ipv6());
        try (Kernel outside = Kernel.open(around)) {
            return change.apply(ConfinementPlan.of(
                    file, outside.machine(), names, new Paths(outside.route())::mtu, ipv6, outerMtu, wish.admitted()));
        }
    }

    /** Applies the kill switch, and removes other tables, which may be the user's rules of an earlier run. */
    private void guard(Nftables nftables, ConfinementPlan plan) {
        nftables.apply(plan.guard());
        List<Table.Id> others = new ArrayList<>(nftables.tables());
        others.remove(GuardRuleset.TABLE);
        nftables.remove(others);
        wish.rules().ifPresent(rules -> nftables.load(rules, text(rules)));
    }

    private static String text(Path rules) {
        try {
            return Files.readString(rules);
        } catch (IOException e) {
            throw new ProblemException(Problem.input(
                    Place.file(rules),
                    "cannot be read: " + e.getMessage(),
                    "use a readable file of nftables rules with --firewall"));
        }
    }

    private void moveIn(ConfinementPlan plan) {
        WireGuardDevice made = devices.create(outerLink, plan.device().listenPort());
        device = Optional.of(made);
        try (Kernel outside = Kernel.open(around);
                Descriptor there = Descriptor.open(space.path(), Descriptor.Access.READ)) {
            // A userspace program sees changes of its link only in this namespace, so it is configured before the link
            // is moved.
            outside.links().raise(outerLink, plan.mtu());
            made.configure(plan.device());
            outside.links().move(outerLink, there, plan.link());
        }
        inside(kernel -> {
            kernel.network().apply(plan.inside());
            // Needed for answers to redirected DNS queries, which may be addressed to 127.0.0.1.
            kernel.sysctl().write("net/ipv4/conf/" + plan.link() + "/route_localnet", "1");
            return true;
        });
        if (made.implementation() == Implementation.KERNEL) {
            made.close();
            device = insideThread(() -> WireGuardDevices.usual(Ownership.ALIAS).find(plan.link()));
        }
    }

    private void dropDevice() {
        device.ifPresent(WireGuardDevice::close);
        device = Optional.empty();
        devices.removeMoved(outerLink);
        devices.find(outerLink).ifPresent(left -> {
            left.remove();
            left.close();
        });
        inside(kernel -> {
            kernel.links().delete(file.name());
            return true;
        });
    }

    private interface Work<T> {
        T with(Kernel kernel);
    }

    private <T> T inside(Work<T> work) {
        return insideThread(() -> {
            try (Kernel kernel = Kernel.open(around)) {
                return work.with(kernel);
            }
        });
    }

    private <T> T insideThread(Callable<T> work) {
        try {
            return space.call(work);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
