// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The topology of the tests, each host a network namespace, with addresses of the documentation ranges only:
 *
 * <pre>
 *   LAN host ───┐  192.0.2.0/26, 2001:db8:e::/64
 *   node ───────┴─ router ─────────── internet ── provider 0, 1, ...   203.0.113.10, .26, ...
 *   client ────────┘  192.0.2.64/26        │                           2001:db8:f::10, f1::10, ...
 *                     2001:db8:c::/64      └ 198.51.100.0/24, 2001:db8:1::/64: servers, Headscale
 * </pre>
 *
 * The program runs on the node. The client is a phone on another network; the LAN host is on the node's network. There
 * is no NAT between them, so a server sees the sender's address.
 */
public final class Lab implements AutoCloseable {

    /** The node's address on its network. */
    public static final String NODE_IPV4 = "192.0.2.10";

    public static final String NODE_IPV6 = "2001:db8:e::10";
    public static final String LAN_HOST_IPV4 = "192.0.2.20";
    public static final String LAN_HOST_IPV6 = "2001:db8:e::20";

    /** The node's gateway, which is also its resolver. */
    public static final String ROUTER_IPV4 = "192.0.2.1";

    public static final String ROUTER_IPV6 = "2001:db8:e::1";
    public static final String CLIENT_IPV4 = "192.0.2.66";
    public static final String CLIENT_IPV6 = "2001:db8:c::66";

    /** A server that returns the client's address: HTTP on port 80, UDP on port 7. */
    public static final String SERVER_IPV4 = "198.51.100.10";

    public static final String SERVER_IPV6 = "2001:db8:1::10";

    /** A resolver that resolves every name below {@code example.} and records the queries. */
    public static final String RESOLVER_IPV4 = "198.51.100.53";

    public static final String RESOLVER_IPV6 = "2001:db8:1::53";

    static final String NODE_MAC = "02:00:5e:00:53:10";
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final AtomicInteger INDEX = new AtomicInteger(1000);

    private final LabOptions options;
    private final String prefix = "lab" + COUNT.incrementAndGet() + "-";
    private final LabNamespace clientNamespace = new LabNamespace(prefix + "client");
    private final LabNamespace lanHost = new LabNamespace(prefix + "lanhost");
    private final LabNamespace nodeNamespace = new LabNamespace(prefix + "node");
    private final LabNamespace router = new LabNamespace(prefix + "router");
    private final LabNamespace internetNamespace = new LabNamespace(prefix + "internet");
    private final List<LabNamespace> providerNamespaces;
    private final List<AutoCloseable> resources = new ArrayList<>();
    private final Internet internet;
    private final List<Provider> providers;
    private final WireGuardClient client;
    private final LabNode node;
    private @Nullable Headscale headscale;
    private @Nullable TailscaleClient phone;
    private @Nullable TailscaleClient laptop;

    private Lab(LabOptions options) {
        this.options = options;
        this.providerNamespaces = IntStream.range(0, options.providers())
                .mapToObj(number -> new LabNamespace(prefix + "provider" + number))
                .toList();
        try {
            wire();
            internet = closeWithLab(new Internet(internetNamespace));
            providers = IntStream.range(0, options.providers())
                    .mapToObj(number -> closeWithLab(new Provider(providerNamespaces.get(number), number)))
                    .toList();
            client = closeWithLab(new WireGuardClient(clientNamespace));
            node = closeWithLab(new LabNode(nodeNamespace, options.uplink()));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** Returns a running lab with the default options. */
    public static Lab open() {
        return open(LabOptions.DEFAULTS);
    }

    /** Returns a running lab. */
    public static Lab open(LabOptions options) {
        return new Lab(options);
    }

    public LabOptions options() {
        return options;
    }

    public Internet internet() {
        return internet;
    }

    /** Returns the first provider. */
    public Provider provider() {
        return providers.getFirst();
    }

    public Provider provider(int number) {
        return providers.get(number);
    }

    public WireGuardClient client() {
        return client;
    }

    public LabNode node() {
        return node;
    }

    /** Returns the tailnet's control server, started on the first call. */
    public Headscale headscale() {
        if (headscale == null) {
            headscale = closeWithLab(new Headscale(internetNamespace));
            node.trustHeadscale();
        }
        return headscale;
    }

    /** Returns the Tailscale of the client, which joins the tailnet as {@code phone} on the first call. */
    public TailscaleClient phone() {
        if (phone == null) {
            phone = join(clientNamespace, "phone");
        }
        return phone;
    }

    /** Returns the Tailscale of the LAN host, which joins the tailnet as {@code laptop} on the first call. */
    public TailscaleClient laptop() {
        if (laptop == null) {
            laptop = join(lanHost, "laptop");
        }
        return laptop;
    }

    private TailscaleClient join(LabNamespace namespace, String name) {
        String key = headscale().key();
        TailscaleClient device = closeWithLab(new TailscaleClient(namespace, name));
        device.join(key).outputOrFail();
        return device;
    }

    /** Returns an ordinary host on the node's network. */
    public LabNamespace lanHost() {
        return lanHost;
    }

    public LabNamespace router() {
        return router;
    }

    /** Starts to watch the node's uplink, on the router's side; closed with the lab. */
    public Observer observe() {
        return closeWithLab(new Observer(router, "node0", Observer.BROADCAST));
    }

    /**
     * Gives the node's uplink another address and gateway.
     *
     * @param from the previous address
     */
    public void moveNode(String from, String to, String gateway) {
        boolean isIpv6 = from.contains(":");
        String length = isIpv6 ? "/64" : "/26";
        String uplink = options.uplink();
        nodeNamespace.ip(
                "address delete " + from + length + " dev " + uplink,
                "address add " + to + length + " dev " + uplink + (isIpv6 ? " nodad" : ""),
                "route replace default via " + gateway + " dev " + uplink);
    }

    /**
     * Connects the node to a second network, whose router is the same: 192.0.2.128/26 and 2001:db8:d::/64, by {@code eth1}. Its
     * default routes become the preferred ones.
     *
     * @return an observer of that link, closed with the lab
     */
    public Observer addSecondUplink() {
        batch(List.of(pair(nodeNamespace, "eth1", router, "node1").replace("index 10 ", "")));
        router.ip(
                "link set node1 up",
                "address add 192.0.2.129/26 dev node1",
                "address add 2001:db8:d::1/64 dev node1 nodad");
        internetNamespace.ip("route add 2001:db8:d::/64 via 2001:db8:a::2");
        Observer observer = closeWithLab(new Observer(router, "node1", "192.0.2.191"));
        String uplink = options.uplink();
        nodeNamespace.ip(
                "link set eth1 address " + NODE_MAC,
                "link set eth1 up",
                "address add 192.0.2.130/26 dev eth1",
                "address add 2001:db8:d::10/64 dev eth1 nodad",
                "route delete default via " + ROUTER_IPV4 + " dev " + uplink,
                "route add default via " + ROUTER_IPV4 + " dev " + uplink + " metric 2000",
                "route add default via 2001:db8:d::1 dev eth1 metric 10");
        addRouteOfNewLink("default via 192.0.2.129 dev eth1 metric 10");
        return observer;
    }

    /** The kernel refuses the gateway until Culvert has noticed its link. */
    private void addRouteOfNewLink(String route) {
        List<String> command = new ArrayList<>(List.of("ip", "route", "add"));
        command.addAll(List.of(route.split(" ", -1)));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        CommandResult result = nodeNamespace.attempt(command.toArray(String[]::new));
        while (result.status() != 0 && System.nanoTime() < deadline) {
            result = nodeNamespace.attempt(command.toArray(String[]::new));
        }
        result.outputOrFail();
    }

    /**
     * Returns an exit node without a kill switch, used by the client until it is closed: it shows that leaks are
     * detected.
     */
    public ExitNodeWithoutKillSwitch exitNodeWithoutKillSwitch() {
        return new ExitNodeWithoutKillSwitch(this);
    }

    private <T extends AutoCloseable> T closeWithLab(T resource) {
        resources.add(resource);
        return resource;
    }

    private Stream<LabNamespace> namespaces() {
        return Stream.concat(
                Stream.of(clientNamespace, lanHost, nodeNamespace, router, internetNamespace),
                providerNamespaces.stream());
    }

    private void wire() {
        batch(namespaces().map(namespace -> "netns add " + namespace.name()).toList());
        // Before links exist, which would spend a second on duplicate address detection.
        namespaces()
                .forEach(namespace -> namespace.sysctl(
                        "net.ipv6.conf.all.accept_dad=0",
                        "net.ipv6.conf.default.accept_dad=0",
                        "net.ipv6.conf.all.accept_ra=0",
                        "net.ipv6.conf.default.accept_ra=0"));
        List<String> lines = new ArrayList<>();
        lines.add(pair(nodeNamespace, options.uplink(), router, "node0"));
        lines.add(pair(lanHost, "eth0", router, "lanhost0"));
        lines.add(pair(clientNamespace, "eth0", router, "client0"));
        lines.add(pair(router, "wan", internetNamespace, "router0"));
        for (int number = 0; number < providerNamespaces.size(); number++) {
            lines.add(pair(providerNamespaces.get(number), "eth0", internetNamespace, "provider" + number));
        }
        batch(lines);
        Stream.concat(Stream.of(router, internetNamespace), providerNamespaces.stream())
                .forEach(namespace -> namespace.sysctl("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"));

        if (!options.ipv6()) {
            nodeNamespace.sysctl("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1");
        }
        if (options.strictReversePath()) {
            nodeNamespace.sysctl("net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.default.rp_filter=1");
        }
        String uplink = options.uplink();
        nodeNamespace.ip("link set " + uplink + " address " + NODE_MAC);
        host(
                nodeNamespace,
                uplink,
                NODE_IPV4 + "/26",
                ROUTER_IPV4,
                options.ipv6() ? NODE_IPV6 + "/64" : "",
                ROUTER_IPV6);
        host(lanHost, "eth0", LAN_HOST_IPV4 + "/26", ROUTER_IPV4, LAN_HOST_IPV6 + "/64", ROUTER_IPV6);
        host(clientNamespace, "eth0", CLIENT_IPV4 + "/26", "192.0.2.65", CLIENT_IPV6 + "/64", "2001:db8:c::65");
        router.ip(
                "link add lan type bridge mcast_snooping 0",
                "link set node0 master lan",
                "link set lanhost0 master lan",
                "link set lo up",
                "link set lan up",
                "link set node0 up",
                "link set lanhost0 up",
                "address add " + ROUTER_IPV4 + "/26 dev lan",
                "address add " + ROUTER_IPV6 + "/64 dev lan nodad",
                "link set client0 up",
                "address add 192.0.2.65/26 dev client0",
                "address add 2001:db8:c::65/64 dev client0 nodad");
        host(router, "wan", "203.0.113.130/30", "203.0.113.129", "2001:db8:a::2/64", "2001:db8:a::1");
        // The resolver of the local network, as a router or a container engine provides it.
        router.nft("""
            table inet resolver {
              chain in {
                type nat hook prerouting priority dstnat;
                ip daddr %s meta l4proto { tcp, udp } th dport 53 dnat ip to %s
                ip6 daddr %s meta l4proto { tcp, udp } th dport 53 dnat ip6 to %s
              }
            }
            """.formatted(ROUTER_IPV4, RESOLVER_IPV4, ROUTER_IPV6, RESOLVER_IPV6));
        internetNamespace.ip(
                "link set lo up",
                "address add " + SERVER_IPV4 + "/32 dev lo",
                "address add " + SERVER_IPV6 + "/128 dev lo nodad",
                "address add " + RESOLVER_IPV4 + "/32 dev lo",
                "address add " + RESOLVER_IPV6 + "/128 dev lo nodad",
                "link set router0 up",
                "address add 203.0.113.129/30 dev router0",
                "address add 2001:db8:a::1/64 dev router0 nodad",
                "route add 192.0.2.0/24 via 203.0.113.130",
                "route add 2001:db8:e::/64 via 2001:db8:a::2",
                "route add 2001:db8:c::/64 via 2001:db8:a::2");
        for (int number = 0; number < providerNamespaces.size(); number++) {
            String network4 = "203.0.113.";
            String network6 = Provider.network6(number);
            String gateway4 = network4 + (16 * number + 1);
            internetNamespace.ip(
                    "link set provider" + number + " up",
                    "address add " + gateway4 + "/28 dev provider" + number,
                    "address add " + network6 + "1/64 dev provider" + number + " nodad");
            LabNamespace namespace = providerNamespaces.get(number);
            host(
                    namespace,
                    "eth0",
                    Provider.publicIpv4(number) + "/28",
                    gateway4,
                    Provider.publicIpv6(number) + "/64",
                    network6 + "1");
        }
    }

    private static void batch(List<String> lines) {
        CommandResult.of(List.of("ip", "-batch", "-"), String.join("\n", lines) + "\n")
                .outputOrFail();
    }

    /**
     * The two ends get different interface indexes: if both have the same index in their namespaces, the kernel treats
     * the veth link as a physical one and delays its carrier events by up to a second (net/core/link_watch.c).
     */
    private static String pair(LabNamespace a, String nameA, LabNamespace b, String nameB) {
        return "link add %s netns %s index 10 type veth peer name %s netns %s index %d"
                .formatted(nameA, a.name(), nameB, b.name(), INDEX.incrementAndGet());
    }

    private static void host(
            LabNamespace namespace, String link, String v4, String gateway4, String v6, String gateway6) {
        List<String> lines = new ArrayList<>(List.of(
                "link set lo up",
                "link set " + link + " up",
                "address add " + v4 + " dev " + link,
                "route add default via " + gateway4));
        if (!v6.isEmpty()) {
            lines.add("address add " + v6 + " dev " + link + " nodad");
            lines.add("route add default via " + gateway6);
        }
        namespace.ip(lines.toArray(String[]::new));
    }

    @Override
    public void close() {
        for (AutoCloseable resource : resources.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new AssertionError("closing " + resource, e);
            }
        }
        CommandResult.of(
                List.of("ip", "-force", "-batch", "-"),
                namespaces()
                                .map(namespace -> "netns delete " + namespace.name())
                                .collect(Collectors.joining("\n")) + "\n");
    }
}
