// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.GenericNetlink;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSockets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * Sockets of a simulated kernel whose changes the real kernel carries out too, in the network namespace of the thread that
 * creates this. Notes each request that they answer differently.
 */
final class MirroredSockets implements NetlinkSockets {

    /** Each is used once, so these are more than a run needs. */
    private static final int SOCKETS = 150;

    /** The kind of links in a kernel without WireGuard. */
    static final String SUBSTITUTE = "ifb";

    private final NetlinkSockets simulated;
    private final Deque<KernelNetlinkSocket> route = open(KernelNetlinkSocket::route);
    private final Deque<KernelNetlinkSocket> netfilter = open(KernelNetlinkSocket::netfilter);
    private final Deque<KernelNetlinkSocket> generic = open(KernelNetlinkSocket::generic);
    private final OptionalInt wireGuard;
    private final List<String> differences = new ArrayList<>();
    private int changes;

    MirroredSockets(NetlinkSockets simulated) {
        this.simulated = simulated;
        this.wireGuard = new GenericNetlink(generic.getFirst()).findFamily("wireguard");
    }

    private static Deque<KernelNetlinkSocket> open(Supplier<KernelNetlinkSocket> opening) {
        Deque<KernelNetlinkSocket> sockets = new ArrayDeque<>();
        for (int i = 0; i < SOCKETS; i++) {
            sockets.add(opening.get());
        }
        return sockets;
    }

    /** Returns the requests that were answered differently. */
    List<String> differences() {
        return List.copyOf(differences);
    }

    /** Returns how many changes both kernels carried out, or refused. */
    int changes() {
        return changes;
    }

    void close() {
        route.forEach(KernelNetlinkSocket::close);
        netfilter.forEach(KernelNetlinkSocket::close);
        generic.forEach(KernelNetlinkSocket::close);
    }

    @Override
    public NetlinkSocket route() {
        return new Mirror(simulated.route(), route.remove());
    }

    @Override
    public NetlinkSocket routeEvents(List<Integer> groups) {
        return simulated.routeEvents(groups);
    }

    @Override
    public NetlinkSocket netfilter() {
        return new Mirror(simulated.netfilter(), netfilter.remove());
    }

    @Override
    public NetlinkSocket rulesetEvents() {
        return simulated.rulesetEvents();
    }

    @Override
    public NetlinkSocket generic() {
        return new Mirror(simulated.generic(), generic.remove());
    }

    private final class Mirror implements NetlinkSocket {

        private final NetlinkSocket simulation;
        private final KernelNetlinkSocket kernel;

        Mirror(NetlinkSocket simulation, KernelNetlinkSocket kernel) {
            this.simulation = simulation;
            this.kernel = kernel;
        }

        @Override
        public List<Outcome> execute(List<NetlinkMessage> requests) {
            List<Outcome> outcomes = simulation.execute(requests);
            if (requests.isEmpty()
                    || (wireGuard.isEmpty() && requests.getFirst().type() == SimulatedKernel.WIREGUARD)) {
                return outcomes;
            }
            List<Outcome> expected =
                    kernel.execute(requests.stream().map(this::real).toList());
            for (int i = 0; i < requests.size(); i++) {
                changes++;
                if (expected.get(i).errno() != outcomes.get(i).errno()) {
                    differences.add("request " + requests.get(i).type() + " with flags "
                            + requests.get(i).flags() + ": error " + expected.get(i) + " of the kernel, "
                            + outcomes.get(i).errno() + " in the simulation");
                }
            }
            return outcomes;
        }

        private NetlinkMessage real(NetlinkMessage message) {
            if (message.type() == SimulatedKernel.WIREGUARD) {
                return new NetlinkMessage(wireGuard.orElseThrow(), message.flags(), message.payload());
            }
            return wireGuard.isEmpty() && message.type() == SimulatedNetwork.NEWLINK
                    ? withoutWireGuard(message)
                    : message;
        }

        /** Returns the request that creates a link of another kind, in a kernel without WireGuard. */
        private NetlinkMessage withoutWireGuard(NetlinkMessage message) {
            Attributes attributes = Attributes.parse(message.payload(), 16);
            return attributes.nested(18).has(1)
                    ? new NetlinkMessage(
                            message.type(),
                            message.flags(),
                            AttributeWriter.after(new byte[16])
                                    .string(3, attributes.string(3).orElseThrow())
                                    .nested(18, info -> info.string(1, SUBSTITUTE))
                                    .toByteArray())
                    : message;
        }

        @Override
        public Optional<Refusal> executeTransaction(List<NetlinkMessage> batch) {
            Optional<Refusal> expected = kernel.executeTransaction(batch);
            Optional<Refusal> refusal = simulation.executeTransaction(batch);
            changes += batch.size();
            if (!expected.map(it -> it.outcome().errno())
                    .equals(refusal.map(it -> it.outcome().errno()))) {
                differences.add("transaction of " + batch.size() + " messages: " + expected + " of the kernel, "
                        + refusal + " in the simulation");
            }
            return refusal;
        }

        @Override
        public List<NetlinkMessage> dump(NetlinkMessage request) {
            return simulation.dump(request);
        }

        @Override
        public List<NetlinkMessage> query(NetlinkMessage request) {
            return simulation.query(request);
        }

        @Override
        public List<NetlinkMessage> receive(Duration atMost) {
            return simulation.receive(atMost);
        }

        @Override
        public void wake() {
            simulation.wake();
        }

        @Override
        public int portId() {
            return simulation.portId();
        }

        @Override
        public void close() {
            kernel.close();
            simulation.close();
        }
    }
}
