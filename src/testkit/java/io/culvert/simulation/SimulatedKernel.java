// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import io.culvert.linux.Errno;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSockets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A kernel behind netlink sockets. Each message of a request is one operation, which {@link Observer} may disturb. */
final class SimulatedKernel implements NetlinkSockets {

    static final int WIREGUARD = 0x1c;
    private static final int CONTROLLER = 0x10;

    /** The maximum number of notifications that wait at a socket before they are lost. */
    private static final int MAX_NOTIFICATIONS = 500;

    /** Sees each operation before and after it. */
    interface Observer {

        /** @return an error number instead of the operation; 0 to carry it out */
        int before(boolean isChange);

        void after(boolean isChange);
    }

    final SimulatedNetwork network;
    final SimulatedRuleset ruleset = new SimulatedRuleset();
    final Map<String, SimulatedDevice> devices = new HashMap<>();
    private final SimulatedThreads threads;
    private final Observer observer;
    private final List<Socket> routeListeners = new ArrayList<>();
    private final List<Socket> rulesetListeners = new ArrayList<>();
    private int lastPort = 4000;
    private int nextUdpPort = 40000;
    private int causingPort;
    Runnable onKeepalive = () -> {};

    SimulatedKernel(SimulatedThreads threads, SimulatedFiles files, Observer observer) {
        this.threads = threads;
        this.observer = observer;
        this.network = new SimulatedNetwork(files::hasIpv6, files::updateLink, this::notifyOfRoute);
        files.onLink(name -> network.link(name).isPresent());
    }

    void notifyOfRoute(int type) {
        routeListeners.forEach(socket -> socket.deliver(new NetlinkMessage(type, 0, new byte[16], causingPort)));
    }

    void notifyOfRuleset() {
        rulesetListeners.forEach(socket -> socket.deliver(new NetlinkMessage(0xa00, 0, new byte[4], causingPort)));
    }

    /** Loses all waiting notifications, and says so. */
    void loseEvents() {
        routeListeners.forEach(Socket::overrun);
        rulesetListeners.forEach(Socket::overrun);
    }

    /** Removes what belongs to the sockets of a program that was killed. */
    void killSockets() {
        routeListeners.clear();
        rulesetListeners.clear();
        ruleset.tables().stream().filter(it -> it.owner() != 0).toList().forEach(it -> ruleset.closeOwner(it.owner()));
    }

    void deleteLink(String name) {
        network.link(name).ifPresent(network::delete);
        devices.remove(name);
    }

    @Override
    public NetlinkSocket route() {
        return new Socket();
    }

    @Override
    public NetlinkSocket routeEvents(List<Integer> groups) {
        Socket socket = new Socket();
        routeListeners.add(socket);
        return socket;
    }

    @Override
    public NetlinkSocket netfilter() {
        return new Socket();
    }

    @Override
    public NetlinkSocket rulesetEvents() {
        Socket socket = new Socket();
        rulesetListeners.add(socket);
        return socket;
    }

    @Override
    public NetlinkSocket generic() {
        return new Socket();
    }

    /** Returns a number that is the same for the same state, as far as packets of one family depend on it. */
    long hash(int family) {
        return StateHash.of(family, network.hash(family), ruleset.hash());
    }

    /** Reads the state without being observed. */
    NetlinkSocket unobserved() {
        return new Socket() {
            @Override
            int before(boolean isChange) {
                return 0;
            }

            @Override
            void after(boolean isChange) {}
        };
    }

    NetlinkSockets unobservedSockets() {
        return new NetlinkSockets() {
            @Override
            public NetlinkSocket route() {
                return unobserved();
            }

            @Override
            public NetlinkSocket routeEvents(List<Integer> groups) {
                return unobserved();
            }

            @Override
            public NetlinkSocket netfilter() {
                return unobserved();
            }

            @Override
            public NetlinkSocket rulesetEvents() {
                return unobserved();
            }

            @Override
            public NetlinkSocket generic() {
                return unobserved();
            }
        };
    }

    private class Socket implements NetlinkSocket {

        private final int port = ++lastPort;
        private final Deque<NetlinkMessage> notifications = new ArrayDeque<>();
        private boolean woken;
        private boolean receiving;

        int before(boolean isChange) {
            return observer.before(isChange);
        }

        void after(boolean isChange) {
            observer.after(isChange);
        }

        void deliver(NetlinkMessage message) {
            if (notifications.size() >= MAX_NOTIFICATIONS) {
                overrun();
            } else {
                notifications.add(message);
            }
        }

        void overrun() {
            notifications.clear();
            notifications.add(new NetlinkMessage(OVERRUN, 0, new byte[0]));
        }

        @Override
        public List<Outcome> execute(List<NetlinkMessage> requests) {
            List<Outcome> outcomes = new ArrayList<>(requests.size());
            for (NetlinkMessage request : requests) {
                int errno = before(true);
                if (errno == 0) {
                    causingPort = port;
                    errno = request.type() == WIREGUARD ? setDevice(request) : executeRoute(request);
                    causingPort = 0;
                }
                after(true);
                outcomes.add(errno == 0 ? Outcome.DONE : new Outcome(errno, "", -1));
            }
            return outcomes;
        }

        @Override
        public Optional<Refusal> executeTransaction(List<NetlinkMessage> batch) {
            int errno = before(true);
            Optional<Refusal> refusal =
                    errno != 0 ? Optional.of(new Refusal(1, new Outcome(errno, "", -1))) : ruleset.execute(batch, port);
            if (refusal.isEmpty()) {
                causingPort = port;
                notifyOfRuleset();
                causingPort = 0;
            }
            after(true);
            return refusal;
        }

        @Override
        public List<NetlinkMessage> dump(NetlinkMessage request) {
            return read(request, before(false));
        }

        @Override
        public List<NetlinkMessage> query(NetlinkMessage request) {
            return read(request, before(false));
        }

        private List<NetlinkMessage> read(NetlinkMessage request, int injected) {
            int errno = injected;
            List<NetlinkMessage> messages = List.of();
            if (errno == 0) {
                Optional<List<NetlinkMessage>> found = find(request);
                errno = found.isPresent() ? 0 : request.type() == WIREGUARD ? Errno.ENODEV : Errno.ENOENT;
                messages = found.orElse(List.of());
            }
            after(false);
            if (errno != 0) {
                throw new NetlinkException("netlink request of type " + request.type(), new Outcome(errno, "", -1));
            }
            return messages;
        }

        @Override
        public List<NetlinkMessage> receive(Duration atMost) {
            if (notifications.isEmpty() && !woken && !atMost.isZero()) {
                receiving = true;
                threads.await(() -> !notifications.isEmpty() || woken, atMost);
                receiving = false;
            }
            woken = false;
            if (notifications.isEmpty()) {
                return List.of();
            }
            return List.of(notifications.remove());
        }

        @Override
        public void wake() {
            woken = true;
            if (receiving) {
                threads.runOthers();
            }
        }

        @Override
        public int portId() {
            return port;
        }

        @Override
        public void close() {
            routeListeners.remove(this);
            rulesetListeners.remove(this);
            if (ruleset.closeOwner(port)) {
                notifyOfRuleset();
            }
        }
    }

    private int executeRoute(NetlinkMessage request) {
        int errno = network.execute(request);
        if (errno == 0 && (request.type() == SimulatedNetwork.NEWLINK || request.type() == SimulatedNetwork.DELLINK)) {
            updateDevices();
        }
        return errno;
    }

    private void updateDevices() {
        devices.keySet().removeIf(name -> network.link(name).isEmpty());
        for (SimulatedNetwork.Link link : network.links) {
            if (link.kind.equals("wireguard") && !devices.containsKey(link.name)) {
                devices.put(link.name, new SimulatedDevice(link.name, nextUdpPort++));
            }
        }
    }

    private int setDevice(NetlinkMessage request) {
        SimulatedDevice device = device(request);
        if (device == null) {
            return Errno.ENODEV;
        }
        device.set(request.payload(), onKeepalive);
        return 0;
    }

    private SimulatedDevice device(NetlinkMessage request) {
        return devices.get(Attributes.parse(request.payload(), 4).string(2).orElse(""));
    }

    private Optional<List<NetlinkMessage>> find(NetlinkMessage request) {
        if (request.type() == CONTROLLER) {
            return Attributes.parse(request.payload(), 4).string(2).orElse("").equals("wireguard")
                    ? Optional.of(List.of(new NetlinkMessage(
                            CONTROLLER,
                            0,
                            AttributeWriter.after(new byte[4]).u16(1, WIREGUARD).toByteArray())))
                    : Optional.empty();
        }
        if (request.type() == WIREGUARD) {
            return Optional.ofNullable(device(request)).map(device -> List.of(device.get(WIREGUARD)));
        }
        if (request.type() >> 8 == 10) {
            return (request.type() & 0xff) == 16 ? Optional.of(ruleset.query(request)) : ruleset.dump(request);
        }
        if (request.type() == SimulatedNetwork.GETROUTE
                && Attributes.parse(request.payload(), 12).has(1)) {
            return lookUp(request);
        }
        return Optional.of(network.dump(request));
    }

    /** Looks up the route of a packet with the tunnel's mark: the one of the main table. */
    private Optional<List<NetlinkMessage>> lookUp(NetlinkMessage request) {
        byte[] destination = Attributes.parse(request.payload(), 12).bytes(1).orElseThrow();
        return network.defaultRoute(request.payload()[0], SimulatedNetwork.MAIN)
                .map(route -> List.of(network.listing(route, destination)));
    }
}
