// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import io.culvert.linux.Errno;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.Attributes.Attribute;
import io.culvert.netlink.NetlinkMessage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Links, addresses, routes and routing rules as the kernel keeps them, and its answers to rtnetlink (net/core/rtnetlink.c,
 * net/ipv4/devinet.c, fib_frontend.c and fib_semantics.c, net/ipv6/addrconf.c and route.c, net/core/fib_rules.c), as far as
 * Culvert's requests and the faults of a simulation need it.
 */
final class SimulatedNetwork {

    static final int NEWLINK = 16;
    static final int DELLINK = 17;
    static final int GETLINK = 18;
    static final int NEWADDR = 20;
    static final int DELADDR = 21;
    static final int GETADDR = 22;
    static final int NEWROUTE = 24;
    static final int DELROUTE = 25;
    static final int GETROUTE = 26;
    static final int NEWRULE = 32;
    static final int DELRULE = 33;
    static final int GETRULE = 34;

    static final int IPV4 = 2;
    static final int IPV6 = 10;
    static final int MAIN = 254;
    static final int LOCAL = 255;
    private static final int PROTOCOL_KERNEL = 2;
    private static final int UNICAST = 1;
    private static final int LOCAL_TYPE = 2;
    private static final int BROADCAST = 3;
    private static final int MULTICAST = 5;
    private static final int SCOPE_LINK = 253;
    private static final int SCOPE_HOST = 254;
    private static final int IFF_UP = 1;
    private static final int IFF_LOOPBACK = 8;
    private static final int IFF_LOWER_UP = 1 << 16;
    private static final int NLM_EXCL = NetlinkMessage.NLM_F_EXCL;
    private static final int NLM_REPLACE = NetlinkMessage.NLM_F_REPLACE;
    private static final int NLM_CREATE = NetlinkMessage.NLM_F_CREATE;

    /** A link; {@code kind} is empty for hardware. */
    static final class Link {
        final int index;
        String name;
        final String kind;
        int mtu;
        String alias = "";
        boolean up;
        boolean carrier = true;

        Link(int index, String name, String kind, int mtu) {
            this.index = index;
            this.name = name;
            this.kind = kind;
            this.mtu = mtu;
        }

        boolean isLoopback() {
            return name.equals("lo");
        }
    }

    /** An address on a link. */
    @SuppressWarnings("ArrayRecordComponent") // Never changed, and compared by methods of its own.
    record Address(int family, int link, byte[] local, int length, int scope, int flags, int protocol, long metric) {

        boolean isSame(Address other) {
            return family == other.family && link == other.link && Arrays.equals(local, other.local);
        }
    }

    /** A route with at most one next hop. */
    @SuppressWarnings("ArrayRecordComponent") // Never changed, and compared by methods of its own.
    record Route(
            int family,
            int table,
            int type,
            int protocol,
            int scope,
            byte[] destination,
            int length,
            long metric,
            int link,
            byte[] gateway,
            byte[] source,
            int mtu,
            boolean onLink) {

        boolean hasKey(Route other) {
            return family == other.family
                    && table == other.table
                    && length == other.length
                    && metric == other.metric
                    && Arrays.equals(destination, other.destination);
        }
    }

    /** A routing rule; the attributes are those of the request. */
    @SuppressWarnings("ArrayRecordComponent") // Never changed, and compared by methods of its own.
    record Rule(int family, long preference, byte[] header, List<Attribute> attributes) {

        Optional<byte[]> attribute(int type) {
            return attributes.stream()
                    .filter(it -> it.type() == type)
                    .map(Attribute::value)
                    .findFirst();
        }

        boolean isSame(Rule other) {
            return family == other.family
                    && preference == other.preference
                    && Arrays.equals(header, other.header)
                    && attributes.size() == other.attributes.size()
                    && attributes.stream()
                            .allMatch(it -> other.attribute(it.type())
                                    .filter(value -> Arrays.equals(value, it.value()))
                                    .isPresent());
        }
    }

    final List<Link> links = new ArrayList<>();
    final List<Address> addresses = new ArrayList<>();
    final List<Route> routes = new ArrayList<>();
    final List<Rule> rules = new ArrayList<>();
    private int lastIndex;

    /** Whether IPv6 is enabled on a link ({@code disable_ipv6}). */
    private final Predicate<String> hasIpv6;

    /** Gets the links that were created or removed. */
    private final Consumer<String> onLink;

    /** Gets the type of each notification. */
    private final Consumer<Integer> onChange;

    SimulatedNetwork(Predicate<String> hasIpv6, Consumer<String> onLink, Consumer<Integer> onChange) {
        this.hasIpv6 = hasIpv6;
        this.onLink = onLink;
        this.onChange = onChange;
        for (int family : new int[] {IPV4, IPV6}) {
            addRule(kernelRule(family, 0, LOCAL), 0);
            addRule(kernelRule(family, 32766, MAIN), 0);
            if (family == IPV4) {
                addRule(kernelRule(family, 32767, 253), 0);
            }
        }
        Link lo = create("lo", "", 65536);
        setUp(lo, true);
    }

    /** Sets the index of the next link. */
    void nextIndex(int index) {
        lastIndex = index - 1;
    }

    private static Rule kernelRule(int family, long preference, int table) {
        ByteBuffer header = ByteBuffer.allocate(12).order(ByteOrder.nativeOrder());
        header.put(0, (byte) family).put(4, (byte) table).put(7, (byte) 1);
        List<Attribute> attributes = new ArrayList<>();
        attributes.add(new Attribute(15, number(table)));
        attributes.add(new Attribute(21, new byte[] {PROTOCOL_KERNEL}));
        if (preference != 0) {
            attributes.add(new Attribute(6, number((int) preference)));
        }
        return new Rule(family, preference, header.array(), attributes);
    }

    static byte[] number(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }

    // Links

    Optional<Link> link(String name) {
        for (Link link : links) {
            if (link.name.equals(name)) {
                return Optional.of(link);
            }
        }
        return Optional.empty();
    }

    private Optional<Link> link(int index) {
        for (Link link : links) {
            if (link.index == index) {
                return Optional.of(link);
            }
        }
        return Optional.empty();
    }

    Link create(String name, String kind, int mtu) {
        Link link = new Link(++lastIndex, name, kind, mtu);
        links.add(link);
        onLink.accept(name);
        onChange.accept(NEWLINK);
        return link;
    }

    void rename(Link link, String name) {
        link.name = name;
        onLink.accept(name);
        onChange.accept(NEWLINK);
    }

    void delete(Link link) {
        setUp(link, false);
        addresses.removeIf(address -> address.link == link.index);
        routes.removeIf(route -> route.link == link.index);
        links.remove(link);
        onLink.accept(link.name);
        onChange.accept(DELLINK);
    }

    void setUp(Link link, boolean up) {
        if (link.up == up) {
            return;
        }
        link.up = up;
        if (up) {
            if (hasIpv6.test(link.name)) {
                startIpv6(link);
            }
            for (Address address : List.copyOf(addresses)) {
                if (address.link == link.index && address.family == IPV4) {
                    addConnected(address, link);
                }
            }
            if (link.isLoopback()) {
                addAddress(new Address(IPV4, link.index, new byte[] {127, 0, 0, 1}, 8, SCOPE_HOST, 0x80, 0, 0));
            }
        } else {
            // IPv4 keeps the addresses and their local routes; IPv6 keeps neither.
            routes.removeIf(route -> route.link == link.index && (route.family == IPV6 || !isOwn(route)));
            addresses.removeIf(address -> address.link == link.index && address.family == IPV6);
        }
        onChange.accept(NEWLINK);
    }

    private static boolean isOwn(Route route) {
        return route.table == LOCAL && route.type == LOCAL_TYPE;
    }

    private void startIpv6(Link link) {
        if (link.isLoopback()) {
            byte[] loopback = new byte[16];
            loopback[15] = 1;
            addAddress(new Address(IPV6, link.index, loopback, 128, SCOPE_HOST, 0x80, 0, 0));
            return;
        }
        byte[] multicast = new byte[16];
        multicast[0] = (byte) 0xff;
        add(new Route(IPV6, LOCAL, MULTICAST, PROTOCOL_KERNEL, 0, multicast, 8, 256, link.index, NONE, NONE, 0, false));
        if (link.kind.equals("wireguard")) {
            return; // It has no link-layer address, so no link-local one either.
        }
        byte[] own = new byte[16];
        own[0] = (byte) 0xfe;
        own[1] = (byte) 0x80;
        own[14] = 0x10;
        own[15] = (byte) link.index;
        addAddress(new Address(IPV6, link.index, own, 64, SCOPE_LINK, 0x80, 0, 0));
    }

    static final byte[] NONE = {};

    private void addConnected(Address address, Link link) {
        int bits = address.family == IPV4 ? 32 : 128;
        byte[] network = network(address.local, address.length);
        if (address.family == IPV4) {
            if (address.length < 32 && !isZero(network)) {
                if (link.isLoopback()) {
                    add(new Route(
                            IPV4,
                            LOCAL,
                            LOCAL_TYPE,
                            PROTOCOL_KERNEL,
                            SCOPE_HOST,
                            network,
                            address.length,
                            0,
                            link.index,
                            NONE,
                            address.local,
                            0,
                            false));
                } else {
                    add(new Route(
                            IPV4,
                            MAIN,
                            UNICAST,
                            PROTOCOL_KERNEL,
                            SCOPE_LINK,
                            network,
                            address.length,
                            address.metric,
                            link.index,
                            NONE,
                            address.local,
                            0,
                            false));
                }
                if (address.length < 31) {
                    byte[] broadcast = network.clone();
                    for (int bit = address.length; bit < bits; bit++) {
                        broadcast[bit / 8] |= (byte) (0x80 >> bit % 8);
                    }
                    add(new Route(
                            IPV4,
                            LOCAL,
                            BROADCAST,
                            PROTOCOL_KERNEL,
                            SCOPE_LINK,
                            broadcast,
                            32,
                            0,
                            link.index,
                            NONE,
                            address.local,
                            0,
                            false));
                }
            }
        } else if (address.length < 128 || !link.isLoopback()) {
            add(new Route(
                    IPV6,
                    MAIN,
                    UNICAST,
                    PROTOCOL_KERNEL,
                    0,
                    network,
                    address.length,
                    address.metric == 0 ? 256 : address.metric,
                    link.index,
                    NONE,
                    NONE,
                    0,
                    false));
        }
    }

    private static boolean isZero(byte[] bytes) {
        for (byte value : bytes) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }

    private static byte[] network(byte[] address, int length) {
        byte[] network = address.clone();
        for (int bit = length; bit < network.length * 8; bit++) {
            network[bit / 8] &= (byte) ~(0x80 >> bit % 8);
        }
        return network;
    }

    /** Adds an address with its routes, as the kernel does. */
    int addAddress(Address address) {
        Link link = link(address.link).orElse(null);
        if (link == null) {
            return Errno.ENODEV;
        }
        if (address.family == IPV6 && !hasIpv6.test(link.name)) {
            return Errno.EACCES;
        }
        for (Address other : addresses) {
            if (other.isSame(address) && (address.family == IPV6 || other.length == address.length)) {
                return Errno.EEXIST;
            }
        }
        addresses.add(address);
        int bits = address.family == IPV4 ? 32 : 128;
        if (address.family == IPV4) {
            add(new Route(
                    IPV4,
                    LOCAL,
                    LOCAL_TYPE,
                    PROTOCOL_KERNEL,
                    SCOPE_HOST,
                    address.local,
                    bits,
                    0,
                    link.index,
                    NONE,
                    address.local,
                    0,
                    false));
        } else if (link.up) {
            add(new Route(
                    IPV6,
                    LOCAL,
                    LOCAL_TYPE,
                    PROTOCOL_KERNEL,
                    0,
                    address.local,
                    bits,
                    0,
                    link.index,
                    NONE,
                    NONE,
                    0,
                    false));
        }
        if (link.up) {
            addConnected(address, link);
        }
        onChange.accept(NEWADDR);
        return 0;
    }

    private int deleteAddress(Address address) {
        for (Address other : addresses) {
            if (other.isSame(address) && other.length == address.length) {
                addresses.remove(other);
                byte[] network = network(other.local, other.length);
                routes.removeIf(route -> route.link == other.link
                        && route.family == other.family
                        && route.protocol == PROTOCOL_KERNEL
                        && (Arrays.equals(route.destination, other.local)
                                || (Arrays.equals(route.destination, network) && route.length == other.length)
                                || (other.family == IPV4 && Arrays.equals(route.source, other.local))));
                onChange.accept(DELADDR);
                return 0;
            }
        }
        return Errno.EADDRNOTAVAIL;
    }

    // Routes

    void add(Route route) {
        routes.add(route);
        onChange.accept(NEWROUTE);
    }

    private int newRoute(Route route, int flags) {
        if (route.link != 0) {
            Optional<Link> link = link(route.link);
            if (link.isEmpty()) {
                return Errno.ENODEV;
            }
            if (route.family == IPV6 && !hasIpv6.test(link.get().name)) {
                return Errno.EACCES;
            }
            if (!link.get().up) {
                return ENETDOWN;
            }
        }
        for (int i = 0; i < routes.size(); i++) {
            if (routes.get(i).hasKey(route)) {
                if ((flags & NLM_EXCL) != 0) {
                    return Errno.EEXIST;
                }
                if ((flags & NLM_REPLACE) != 0) {
                    routes.set(i, route);
                    onChange.accept(NEWROUTE);
                    return 0;
                }
            }
        }
        if ((flags & NLM_CREATE) == 0) {
            return Errno.ENOENT;
        }
        add(route);
        return 0;
    }

    private static final int ENETDOWN = 100;

    private int deleteRoute(Route wanted) {
        for (Route route : routes) {
            if (route.family == wanted.family
                    && route.table == wanted.table
                    && route.length == wanted.length
                    && Arrays.equals(route.destination, wanted.destination)
                    && (wanted.metric == 0 || route.metric == wanted.metric)
                    && (wanted.type == 0 || route.type == wanted.type)
                    && (wanted.protocol == 0 || route.protocol == wanted.protocol)
                    && (wanted.link == 0 || route.link == wanted.link)
                    && (wanted.gateway.length == 0 || Arrays.equals(route.gateway, wanted.gateway))) {
                routes.remove(route);
                onChange.accept(DELROUTE);
                return 0;
            }
        }
        return Errno.ESRCH;
    }

    // Rules

    int addRule(Rule rule, int flags) {
        if ((flags & NLM_EXCL) != 0 && rules.stream().anyMatch(rule::isSame)) {
            return Errno.EEXIST;
        }
        int at = 0;
        while (at < rules.size() && rules.get(at).preference <= rule.preference) {
            at++;
        }
        rules.add(at, rule);
        onChange.accept(NEWRULE);
        return 0;
    }

    private int deleteRule(Rule wanted) {
        for (Rule rule : rules) {
            if (rule.isSame(wanted)) {
                rules.remove(rule);
                onChange.accept(DELRULE);
                return 0;
            }
        }
        return Errno.ENOENT;
    }

    // Requests

    /** Carries out a request and returns the error. */
    int execute(NetlinkMessage request) {
        byte[] payload = request.payload();
        ByteBuffer header = ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
        return switch (request.type()) {
            case NEWLINK -> newLink(request, header);
            case DELLINK ->
                link(header.getInt(4))
                        .map(link -> {
                            if (link.kind.isEmpty()) {
                                return Errno.EOPNOTSUPP;
                            }
                            delete(link);
                            return 0;
                        })
                        .orElse(Errno.ENODEV);
            case NEWADDR -> addAddress(address(payload, header));
            case DELADDR -> deleteAddress(address(payload, header));
            case NEWROUTE -> newRoute(route(payload, header), request.flags());
            case DELROUTE -> deleteRoute(route(payload, header));
            case NEWRULE -> addRule(rule(payload), request.flags());
            case DELRULE -> deleteRule(rule(payload));
            default -> throw new IllegalArgumentException("request of type " + request.type());
        };
    }

    private int newLink(NetlinkMessage request, ByteBuffer header) {
        Attributes attributes = Attributes.parse(request.payload(), 16);
        Optional<String> name = attributes.string(3);
        Optional<Link> existing = header.getInt(4) != 0 ? link(header.getInt(4)) : name.flatMap(this::link);
        if ((request.flags() & NLM_CREATE) != 0) {
            if (existing.isPresent()) {
                return Errno.EEXIST;
            }
            String kind = attributes.nested(18).string(1).orElse("");
            create(name.orElseThrow(), kind, kind.equals("wireguard") ? 1420 : 1500);
            return 0;
        }
        if (existing.isEmpty()) {
            return Errno.ENODEV;
        }
        Link link = existing.get();
        attributes.number(4).ifPresent(mtu -> link.mtu = mtu.intValue());
        if (attributes.has(20)) {
            link.alias = attributes.string(20).orElse("");
        }
        if ((header.getInt(12) & IFF_UP) != 0) {
            setUp(link, (header.getInt(8) & IFF_UP) != 0);
        }
        onChange.accept(NEWLINK);
        return 0;
    }

    private static Address address(byte[] payload, ByteBuffer header) {
        Attributes attributes = Attributes.parse(payload, 8);
        byte[] local = attributes.bytes(2).or(() -> attributes.bytes(1)).orElseThrow();
        return new Address(
                header.get(0),
                header.getInt(4),
                local,
                Byte.toUnsignedInt(header.get(1)),
                header.get(3) & 0xff,
                (int) attributes.number(8, header.get(2)) | 0x80,
                (int) attributes.number(11, 0),
                attributes.number(9, 0));
    }

    private Route route(byte[] payload, ByteBuffer header) {
        Attributes attributes = Attributes.parse(payload, 12);
        int family = header.get(0);
        int type = header.get(7);
        byte[] unspecified = new byte[family == IPV4 ? 4 : 16];
        long metric = attributes.number(6, 0);
        int link = (int) attributes.number(4, 0);
        if (family == IPV6 && type >= 6) {
            link = 1; // The kernel gives such a route the loopback interface.
        }
        return new Route(
                family,
                (int) attributes.number(15, Byte.toUnsignedInt(header.get(4))),
                type,
                Byte.toUnsignedInt(header.get(5)),
                Byte.toUnsignedInt(header.get(6)),
                attributes.bytes(1).orElse(unspecified),
                Byte.toUnsignedInt(header.get(1)),
                family == IPV6 && metric == 0 ? 1024 : metric,
                link,
                attributes.bytes(5).orElse(NONE),
                attributes.bytes(7).orElse(NONE),
                attributes.has(8) ? (int) attributes.nested(8).number(2, 0) : 0,
                (header.getInt(8) & 4) != 0);
    }

    private static Rule rule(byte[] payload) {
        Attributes attributes = Attributes.parse(payload, 12);
        byte[] header = Arrays.copyOf(payload, 12);
        header[8] &= ~(8 | 16);
        List<Attribute> kept = new ArrayList<>();
        for (Attribute attribute : attributes.all()) {
            kept.removeIf(it -> it.type() == attribute.type());
            kept.add(attribute);
        }
        return new Rule(header[0], attributes.number(6, 0) & 0xffffffffL, header, kept);
    }

    /** Returns the listing that a request asks for. */
    List<NetlinkMessage> dump(NetlinkMessage request) {
        List<NetlinkMessage> messages = new ArrayList<>();
        switch (request.type()) {
            case GETLINK -> links.forEach(link -> messages.add(listing(link)));
            case GETADDR -> {
                addresses.stream().filter(it -> it.family == IPV4).forEach(it -> messages.add(listing(it)));
                addresses.stream().filter(it -> it.family == IPV6).forEach(it -> messages.add(listing(it)));
            }
            case GETRULE -> {
                rules.stream().filter(it -> it.family == IPV4).forEach(it -> messages.add(listing(it)));
                rules.stream().filter(it -> it.family == IPV6).forEach(it -> messages.add(listing(it)));
            }
            case GETROUTE -> {
                int protocol = Byte.toUnsignedInt(request.payload()[5]);
                long table = Attributes.parse(request.payload(), 12).number(15, 0);
                for (int family : new int[] {IPV4, IPV6}) {
                    for (Route route : routes) {
                        if (route.family == family
                                && (protocol == 0 || route.protocol == protocol)
                                && (table == 0 || route.table == table)) {
                            messages.add(listing(route));
                        }
                    }
                }
            }
            default -> throw new IllegalArgumentException("dump of type " + request.type());
        }
        return messages;
    }

    private static NetlinkMessage listing(Link link) {
        byte[] header = ByteBuffer.allocate(16)
                .order(ByteOrder.nativeOrder())
                .putInt(4, link.index)
                .putInt(
                        8,
                        (link.up ? IFF_UP : 0)
                                | (link.isLoopback() ? IFF_LOOPBACK : 0)
                                | (link.up && link.carrier ? IFF_LOWER_UP : 0))
                .array();
        AttributeWriter writer = AttributeWriter.after(header)
                .string(3, link.name)
                .u32(4, link.mtu)
                .u32(27, 0);
        if (!link.kind.isEmpty()) {
            writer.nested(18, info -> info.string(1, link.kind));
        }
        if (!link.alias.isEmpty()) {
            writer.string(20, link.alias);
        }
        return new NetlinkMessage(NEWLINK, NetlinkMessage.NLM_F_MULTI, writer.toByteArray());
    }

    private static NetlinkMessage listing(Address address) {
        byte[] header = ByteBuffer.allocate(8)
                .order(ByteOrder.nativeOrder())
                .put(0, (byte) address.family)
                .put(1, (byte) address.length)
                .put(2, (byte) address.flags)
                .put(3, (byte) address.scope)
                .putInt(4, address.link)
                .array();
        AttributeWriter writer = AttributeWriter.after(header).bytes(1, address.local);
        if (address.family == IPV4) {
            writer.bytes(2, address.local);
        }
        writer.u32(8, address.flags);
        if (address.metric != 0) {
            writer.u32(9, address.metric);
        }
        if (address.protocol != 0) {
            writer.u8(11, address.protocol);
        }
        return new NetlinkMessage(NEWADDR, NetlinkMessage.NLM_F_MULTI, writer.toByteArray());
    }

    private NetlinkMessage listing(Route route) {
        // The kernel leaves local routes usable (fib_sync_down_dev in net/ipv4/fib_semantics.c, RTF_LOCAL in
        // net/ipv6/route.c).
        boolean isDown = route.link != 0
                && !isOwn(route)
                && link(route.link).filter(link -> !link.carrier || !link.up).isPresent();
        byte[] header = ByteBuffer.allocate(12)
                .order(ByteOrder.nativeOrder())
                .put(0, (byte) route.family)
                .put(1, (byte) route.length)
                .put(4, (byte) (route.table < 256 ? route.table : 252))
                .put(5, (byte) route.protocol)
                .put(6, (byte) route.scope)
                .put(7, (byte) route.type)
                .putInt(8, (route.onLink ? 4 : 0) | (isDown ? 16 : 0))
                .array();
        AttributeWriter writer = AttributeWriter.after(header).u32(15, route.table);
        if (route.length != 0) {
            writer.bytes(1, route.destination);
        }
        if (route.metric != 0) {
            writer.u32(6, route.metric);
        }
        if (route.mtu != 0) {
            writer.nested(8, metrics -> metrics.u32(2, route.mtu));
        }
        if (route.source.length != 0) {
            writer.bytes(7, route.source);
        }
        if (route.gateway.length != 0) {
            writer.bytes(5, route.gateway);
        }
        if (route.link != 0) {
            writer.u32(4, route.link);
        }
        return new NetlinkMessage(NEWROUTE, NetlinkMessage.NLM_F_MULTI, writer.toByteArray());
    }

    private NetlinkMessage listing(Rule rule) {
        byte[] header = rule.header.clone();
        // FIB_RULE_IIF_DETACHED and FIB_RULE_OIF_DETACHED: the link does not exist.
        header[8] |= (byte) ((isMissing(rule, 3) ? 8 : 0) | (isMissing(rule, 17) ? 16 : 0));
        AttributeWriter writer = AttributeWriter.after(header);
        for (Attribute attribute : rule.attributes) {
            writer.bytes(attribute.type(), attribute.value());
        }
        return new NetlinkMessage(NEWRULE, NetlinkMessage.NLM_F_MULTI, writer.toByteArray());
    }

    private boolean isMissing(Rule rule, int type) {
        return rule.attribute(type)
                .map(name -> new String(name, StandardCharsets.UTF_8).split("\0", 2)[0])
                .filter(name -> link(name).isEmpty())
                .isPresent();
    }

    /** Returns the link with the lowest default route of a family in a table, for the lookup of an uplink. */
    Optional<Route> defaultRoute(int family, int table) {
        return routes.stream()
                .filter(route -> route.family == family && route.table == table && route.length == 0)
                .filter(route -> route.type == UNICAST)
                .min((a, b) -> Long.compare(a.metric, b.metric));
    }

    NetlinkMessage listing(Route route, byte[] destination) {
        return listing(new Route(
                route.family,
                route.table,
                route.type,
                route.protocol,
                route.scope,
                destination,
                destination.length * 8,
                route.metric,
                route.link,
                route.gateway,
                route.source,
                route.mtu,
                route.onLink));
    }

    /**
     * Returns a number that is the same for the same state, as far as packets of one family depend on it, and hardly ever for
     * another: links, all addresses, and that family's routes and rules.
     */
    long hash(int family) {
        long hash = 0;
        for (Link link : links) {
            hash = StateHash.of(
                    hash,
                    link.index,
                    link.name.hashCode(),
                    link.kind.hashCode(),
                    link.up ? 1 : 0,
                    link.carrier ? 1 : 0);
        }
        // What the kernel lists in any order is added, so that its order does not matter.
        for (Address address : addresses) {
            hash += StateHash.of(1, address.family, address.link, StateHash.of(address.local), address.length);
        }
        for (Route route : routes) {
            if (route.family == family) {
                hash += StateHash.of(
                        2,
                        route.table,
                        route.type,
                        StateHash.of(route.destination),
                        route.length,
                        route.metric,
                        route.link,
                        StateHash.of(route.gateway));
            }
        }
        long order = 0;
        for (Rule rule : rules) {
            if (rule.family == family) {
                long attributes = 0;
                for (Attribute attribute : rule.attributes) {
                    attributes += StateHash.of(attribute.type(), StateHash.of(attribute.value()));
                }
                order = StateHash.of(order, StateHash.of(rule.header), rule.preference, attributes);
            }
        }
        return StateHash.of(hash, order);
    }
}
