package io.culvert.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The one topology, each box a network namespace, with addresses of the documentation ranges only:
 *
 * <pre>
 *   neighbour ──┐  192.0.2.0/26, 2001:db8:e::/64
 *   node ───────┴─ router ─────────── internet ── provider 0, 1, ...   203.0.113.10, .26, ...
 *   client ────────┘  192.0.2.64/26        │                           2001:db8:f::10, f1::10, ...
 *                     2001:db8:c::/64      └ 198.51.100.0/24, 2001:db8:1::/64: servers, Headscale
 * </pre>
 *
 * The node is where the program runs; the client is a phone somewhere, the neighbour sits beside the node on its network.
 * Addresses are not translated on the way, so that what a server sees is who it was.
 */
public final class Lab implements AutoCloseable {

    /** The node's address on its network. */
    public static final String NODE_4 = "192.0.2.10";

    public static final String NODE_6 = "2001:db8:e::10";
    public static final String NEIGHBOUR_4 = "192.0.2.20";
    public static final String NEIGHBOUR_6 = "2001:db8:e::20";

    /** The node's gateway, which is its resolver too. */
    public static final String ROUTER_4 = "192.0.2.1";

    public static final String ROUTER_6 = "2001:db8:e::1";
    public static final String CLIENT_4 = "192.0.2.66";
    public static final String CLIENT_6 = "2001:db8:c::66";

    /** A server that says who asked: HTTP on port 80, UDP on port 7. */
    public static final String SERVER_4 = "198.51.100.10";

    public static final String SERVER_6 = "2001:db8:1::10";

    /** A resolver that knows every name below {@code example.} and remembers who asked. */
    public static final String RESOLVER_4 = "198.51.100.53";

    public static final String RESOLVER_6 = "2001:db8:1::53";

    static final String NODE_MAC = "02:00:5e:00:53:10";
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final AtomicInteger INDEX = new AtomicInteger(1000);

    private final Shape shape;
    private final String prefix = "lab" + COUNT.incrementAndGet() + "-";
    private final Namespace clientSpace = new Namespace(prefix + "client");
    private final Namespace neighbour = new Namespace(prefix + "neighbour");
    private final Namespace nodeSpace = new Namespace(prefix + "node");
    private final Namespace router = new Namespace(prefix + "router");
    private final Namespace internetSpace = new Namespace(prefix + "internet");
    private final List<Namespace> providerSpaces;
    private final List<AutoCloseable> roles = new ArrayList<>();
    private final Internet internet;
    private final List<Provider> providers;
    private final Client client;
    private final Node node;
    private @Nullable Headscale headscale;
    private @Nullable TailscaleClient phone;
    private @Nullable TailscaleClient laptop;

    private Lab(Shape shape) {
        this.shape = shape;
        this.providerSpaces = IntStream.range(0, shape.providers())
                .mapToObj(number -> new Namespace(prefix + "provider" + number))
                .toList();
        try {
            wire();
            internet = kept(new Internet(internetSpace));
            providers = IntStream.range(0, shape.providers())
                    .mapToObj(number -> kept(new Provider(providerSpaces.get(number), number)))
                    .toList();
            client = kept(new Client(clientSpace));
            node = kept(new Node(nodeSpace, shape.uplink()));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** A whole lab of the usual shape, running. */
    public static Lab open() {
        return open(Shape.USUAL);
    }

    /** A whole lab, running. */
    public static Lab open(Shape shape) {
        return new Lab(shape);
    }

    public Shape shape() {
        return shape;
    }

    public Internet internet() {
        return internet;
    }

    /** The only, or the first, provider. */
    public Provider provider() {
        return providers.getFirst();
    }

    public Provider provider(int number) {
        return providers.get(number);
    }

    public Client client() {
        return client;
    }

    public Node node() {
        return node;
    }

    /** The control server of the tailnet; it starts when it is first asked for. */
    public Headscale headscale() {
        if (headscale == null) {
            headscale = kept(new Headscale(internetSpace));
            node.trustHeadscale();
        }
        return headscale;
    }

    /** The client's Tailscale, far from the node, in the tailnet as {@code phone} since it was first asked for. */
    public TailscaleClient phone() {
        if (phone == null) {
            phone = member(clientSpace, "phone");
        }
        return phone;
    }

    /** The neighbour's Tailscale, beside the node, in the tailnet as {@code laptop} since it was first asked for. */
    public TailscaleClient laptop() {
        if (laptop == null) {
            laptop = member(neighbour, "laptop");
        }
        return laptop;
    }

    private TailscaleClient member(Namespace space, String name) {
        String key = headscale().key();
        TailscaleClient device = kept(new TailscaleClient(space, name));
        device.join(key).orFail();
        return device;
    }

    /** A plain machine on the node's network. */
    public Namespace neighbour() {
        return neighbour;
    }

    public Namespace router() {
        return router;
    }

    /** Begins to watch the node's uplink, from the router's side. Ends with the lab at the latest. */
    public Observer observe() {
        return kept(new Observer(router, "node0"));
    }

    /** The client exits by a node that nobody guards, until it is closed: what must never be seen otherwise. */
    public UnguardedExit unguardedExit() {
        return new UnguardedExit(this);
    }

    private <T extends AutoCloseable> T kept(T role) {
        roles.add(role);
        return role;
    }

    private Stream<Namespace> spaces() {
        return Stream.concat(
                Stream.of(clientSpace, neighbour, nodeSpace, router, internetSpace), providerSpaces.stream());
    }

    private void wire() {
        batch(spaces().map(space -> "netns add " + space.name()).toList());
        // Before there are links, which would spend a second on finding their addresses unique.
        spaces().forEach(space -> space.sysctl(
                "net.ipv6.conf.all.accept_dad=0",
                "net.ipv6.conf.default.accept_dad=0",
                "net.ipv6.conf.all.accept_ra=0",
                "net.ipv6.conf.default.accept_ra=0"));
        List<String> lines = new ArrayList<>();
        lines.add(pair(nodeSpace, shape.uplink(), router, "node0"));
        lines.add(pair(neighbour, "eth0", router, "neighbour0"));
        lines.add(pair(clientSpace, "eth0", router, "client0"));
        lines.add(pair(router, "wan", internetSpace, "router0"));
        for (int number = 0; number < providerSpaces.size(); number++) {
            lines.add(pair(providerSpaces.get(number), "eth0", internetSpace, "provider" + number));
        }
        batch(lines);
        Stream.concat(Stream.of(router, internetSpace), providerSpaces.stream())
                .forEach(space -> space.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"));

        if (!shape.ipv6()) {
            nodeSpace.sysctl("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1");
        }
        if (shape.strictReversePath()) {
            nodeSpace.sysctl("net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.default.rp_filter=1");
        }
        String uplink = shape.uplink();
        nodeSpace.ip("link set " + uplink + " address " + NODE_MAC);
        host(nodeSpace, uplink, NODE_4 + "/26", ROUTER_4, shape.ipv6() ? NODE_6 + "/64" : "", ROUTER_6);
        host(neighbour, "eth0", NEIGHBOUR_4 + "/26", ROUTER_4, NEIGHBOUR_6 + "/64", ROUTER_6);
        host(clientSpace, "eth0", CLIENT_4 + "/26", "192.0.2.65", CLIENT_6 + "/64", "2001:db8:c::65");
        router.ip(
                "link add lan type bridge mcast_snooping 0",
                "link set node0 master lan",
                "link set neighbour0 master lan",
                "link set lo up",
                "link set lan up",
                "link set node0 up",
                "link set neighbour0 up",
                "address add " + ROUTER_4 + "/26 dev lan",
                "address add " + ROUTER_6 + "/64 dev lan nodad",
                "link set client0 up",
                "address add 192.0.2.65/26 dev client0",
                "address add 2001:db8:c::65/64 dev client0 nodad");
        host(router, "wan", "203.0.113.130/30", "203.0.113.129", "2001:db8:a::2/64", "2001:db8:a::1");
        // The resolver that a landlord or a container engine offers on the network itself.
        router.nft("""
                table inet resolver {
                  chain in {
                    type nat hook prerouting priority dstnat;
                    ip daddr %s meta l4proto { tcp, udp } th dport 53 dnat ip to %s
                    ip6 daddr %s meta l4proto { tcp, udp } th dport 53 dnat ip6 to %s
                  }
                }
                """.formatted(ROUTER_4, RESOLVER_4, ROUTER_6, RESOLVER_6));
        internetSpace.ip(
                "link set lo up",
                "address add " + SERVER_4 + "/32 dev lo",
                "address add " + SERVER_6 + "/128 dev lo nodad",
                "address add " + RESOLVER_4 + "/32 dev lo",
                "address add " + RESOLVER_6 + "/128 dev lo nodad",
                "link set router0 up",
                "address add 203.0.113.129/30 dev router0",
                "address add 2001:db8:a::1/64 dev router0 nodad",
                "route add 192.0.2.0/24 via 203.0.113.130",
                "route add 2001:db8:e::/64 via 2001:db8:a::2",
                "route add 2001:db8:c::/64 via 2001:db8:a::2");
        for (int number = 0; number < providerSpaces.size(); number++) {
            String network4 = "203.0.113.";
            String network6 = Provider.network6(number);
            String gateway4 = network4 + (16 * number + 1);
            internetSpace.ip(
                    "link set provider" + number + " up",
                    "address add " + gateway4 + "/28 dev provider" + number,
                    "address add " + network6 + "1/64 dev provider" + number + " nodad");
            Namespace space = providerSpaces.get(number);
            host(
                    space,
                    "eth0",
                    Provider.outer4(number) + "/28",
                    gateway4,
                    Provider.outer6(number) + "/64",
                    network6 + "1");
        }
    }

    private static void batch(List<String> lines) {
        Outcome.of(List.of("ip", "-batch", "-"), String.join("\n", lines) + "\n")
                .orFail();
    }

    /**
     * The two ends get numbers that differ: the kernel takes a virtual cable whose ends have the same number in their
     * namespaces for a real one, and then waits up to a second before it uses it (net/core/link_watch.c).
     */
    private static String pair(Namespace a, String nameA, Namespace b, String nameB) {
        return "link add %s netns %s index 10 type veth peer name %s netns %s index %d"
                .formatted(nameA, a.name(), nameB, b.name(), INDEX.incrementAndGet());
    }

    private static void host(Namespace space, String link, String v4, String gateway4, String v6, String gateway6) {
        List<String> lines = new ArrayList<>(List.of(
                "link set lo up",
                "link set " + link + " up",
                "address add " + v4 + " dev " + link,
                "route add default via " + gateway4));
        if (!v6.isEmpty()) {
            lines.add("address add " + v6 + " dev " + link + " nodad");
            lines.add("route add default via " + gateway6);
        }
        space.ip(lines.toArray(String[]::new));
    }

    @Override
    public void close() {
        for (AutoCloseable role : roles.reversed()) {
            try {
                role.close();
            } catch (Exception e) {
                throw new AssertionError("closing " + role, e);
            }
        }
        Outcome.of(
                List.of("ip", "-force", "-batch", "-"),
                spaces().map(space -> "netns delete " + space.name()).collect(Collectors.joining("\n")) + "\n");
    }
}
