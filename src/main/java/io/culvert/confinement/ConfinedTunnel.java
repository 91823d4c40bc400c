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
 * The one link of a namespace besides loopback. The device is made outside, where its socket stays for ever, and then moved.
 * For one thread, which is outside.
 */
final class ConfinedTunnel {

    /** Not that of other links of ours, whose owners would take this one for a leftover while it is outside. */
    private static final String ALIAS = "culvert-confined";

    /** What programs expect to be as it is outside. */
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
     * @param change of the plan, where something stands between the device and the servers
     * @param outerMtu in bytes, where the way to the servers is not the machine's
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

    /** Makes all of it anew, whatever an earlier run left there; what may come in is settled before anything can. */
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
     * Puts back what is not as planned; a device that is gone is made again.
     *
     * @return whether there was anything to do
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

    /** Moves the peers whose servers' names now stand for other addresses. */
    void follow(Names now) {
        List<PeerConfig> before = plan().device().peers();
        names = now;
        plan().device().peers().stream()
                .filter(peer -> peer.endpoint().isPresent() && !before.contains(peer))
                .forEach(peer -> device.ifPresent(present ->
                        present.moveEndpoint(peer.publicKey(), peer.endpoint().orElseThrow())));
    }

    /** The state of the device; empty where it is gone or does not answer. */
    Optional<DeviceState> read() {
        try {
            return device.map(WireGuardDevice::read);
        } catch (ProblemException _) {
            return Optional.empty();
        }
    }

    /** The last one with any peer. */
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

    /** Tells of changes inside from now on. */
    NetworkEvents watch() {
        return insideThread(() -> NetworkEvents.open(_ -> false));
    }

    /** Takes the device away; the namespace holds nothing but loopback then. */
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

    /** An earlier run's other tables go, for the user's own rules may be in them. */
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
                    "name a readable file of nftables rules with --firewall"));
        }
    }

    private void moveIn(ConfinementPlan plan) {
        WireGuardDevice made = devices.create(outerLink, plan.device().listenPort());
        device = Optional.of(made);
        try (Kernel outside = Kernel.open(around);
                Descriptor there = Descriptor.open(space.path(), Descriptor.Access.READ)) {
            // The program behind it sees changes of its link here only, so all that it has to know comes before the
            // move.
            outside.links().raise(outerLink, plan.mtu());
            made.configure(plan.device());
            outside.links().move(outerLink, there, plan.link());
        }
        inside(kernel -> {
            kernel.network().apply(plan.inside());
            // An answer to a redirected question may be for 127.0.0.1.
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
