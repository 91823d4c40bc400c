// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A VPN provider: a WireGuard server with NAT that answers DNS on its address in the tunnel. Tests can stop it, block its
 * traffic, and start it again.
 */
public final class Provider implements AutoCloseable {

    /** Its UDP port. */
    public static final int PORT = 51820;

    private final LabNamespace namespace;
    private final int number;
    private final String link;
    private final String serverKey = WireGuardInterface.privateKey();
    private final String customerKey = WireGuardInterface.privateKey();
    private @Nullable WireGuardInterface server;

    Provider(LabNamespace namespace, int number) {
        this.namespace = namespace;
        this.number = number;
        // The userspace programs of all namespaces have their sockets in one directory.
        this.link = namespace.name().replace("-", "").replace("provider", "p");
        namespace.nft("""
                table inet provider {
                  chain names {
                    type nat hook prerouting priority dstnat;
                    ip daddr %s meta l4proto { tcp, udp } th dport 53 dnat ip to %s
                    ip6 daddr %s meta l4proto { tcp, udp } th dport 53 dnat ip6 to %s
                  }
                  chain customers {
                    type nat hook postrouting priority srcnat;
                    iifname "%s" oifname "eth0" masquerade
                  }
                }
                """.formatted(tunnelIpv4(), Lab.RESOLVER_IPV4, tunnelIpv6(), Lab.RESOLVER_IPV6, link));
        start();
    }

    static String publicIpv4(int number) {
        return "203.0.113." + (16 * number + 10);
    }

    static String publicIpv6(int number) {
        return network6(number) + "10";
    }

    static String network6(int number) {
        return "2001:db8:f" + (number == 0 ? "" : number) + "::";
    }

    /** Returns its public address: the endpoint of the server and the address that servers see. */
    public String publicIpv4() {
        return publicIpv4(number);
    }

    public String publicIpv6() {
        return publicIpv6(number);
    }

    /** Returns its address in the tunnel, where it answers DNS. */
    public String tunnelIpv4() {
        return "10.64." + number + ".1";
    }

    public String tunnelIpv6() {
        return "fd00:" + (64 + number) + "::1";
    }

    /** Returns the customer's address in the tunnel. */
    public String customerIpv4() {
        return "10.64." + number + ".2";
    }

    public String customerIpv6() {
        return "fd00:" + (64 + number) + "::2";
    }

    public LabNamespace namespace() {
        return namespace;
    }

    /** Returns the customer's wg-quick file, for both families, with the server's IPv4 address as endpoint. */
    public String file() {
        return file(publicIpv4() + ":" + PORT, "0.0.0.0/0, ::/0");
    }

    /**
     * Returns the customer's wg-quick file.
     *
     * @param endpoint the server's, such as {@code 203.0.113.10:51820}
     * @param allowedIps what goes through the tunnel
     */
    public String file(String endpoint, String allowedIps) {
        return """
                [Interface]
                PrivateKey = %s
                Address = %s/32, %s/128
                DNS = %s

                [Peer]
                PublicKey = %s
                AllowedIPs = %s
                Endpoint = %s
                PersistentKeepalive = 25
                """.formatted(
                        customerKey,
                        customerIpv4(),
                        customerIpv6(),
                        tunnelIpv4(),
                        WireGuardInterface.publicKey(serverKey),
                        allowedIps,
                        endpoint);
    }

    /** Kills the server: its port is closed and its sessions are lost. */
    public void stop() {
        if (server != null) {
            server.close();
            server = null;
        }
    }

    /** Starts the server, with the same keys. */
    public void start() {
        server = WireGuardInterface.up(namespace, link, """
                [Interface]
                PrivateKey = %s
                ListenPort = %d
                [Peer]
                PublicKey = %s
                AllowedIPs = %s/32, %s/128
                """.formatted(
                        serverKey, PORT, WireGuardInterface.publicKey(customerKey), customerIpv4(), customerIpv6()));
        namespace.ip(
                "address add " + tunnelIpv4() + "/24 dev " + link,
                "address add " + tunnelIpv6() + "/64 dev " + link + " nodad",
                "link set " + link + " mtu 1420 up");
        server.awaitUp();
    }

    /** Makes the server send keepalives to its customer at this endpoint. */
    public void sendKeepalivesTo(String endpoint) {
        String customer = WireGuardInterface.publicKey(customerKey);
        namespace.run("wg", "set", link, "peer", customer, "endpoint", endpoint, "persistent-keepalive", "1");
    }

    /** Makes the server respond from another address or port than its endpoint, without connection tracking. */
    public void respondFrom(String address, int port) {
        boolean ipv6 = address.contains(":");
        String own = ipv6 ? publicIpv6() : publicIpv4();
        if (!address.equals(own)) {
            namespace.ip("address add " + address + (ipv6 ? "/64" : "/28") + " dev eth0 preferred_lft 0"
                    + (ipv6 ? " nodad" : ""));
        }
        namespace.nft("""
                table inet elsewhere {
                  chain out {
                    type filter hook output priority raw;
                    %1$s saddr %2$s udp sport %4$d notrack %1$s saddr set %3$s udp sport set %5$d
                  }
                  chain in {
                    type filter hook prerouting priority raw;
                    %1$s daddr %3$s udp dport %5$d notrack %1$s daddr set %2$s udp dport set %4$d
                  }
                }
                """.formatted(ipv6 ? "ip6" : "ip", own, address, PORT, port));
    }

    /**
     * Makes the server respond from its endpoint only, again: it sends nothing before it has received something there. Otherwise
     * the next keepalive, ten seconds after the last data, would show the client where the server is, before it is given up.
     */
    public void respondFromEndpoint() {
        namespace.nft("""
                delete table inet elsewhere
                table inet responses {
                  chain in {
                    type filter hook prerouting priority mangle;
                    udp dport %1$d ct mark set 1
                  }
                  chain out {
                    type filter hook output priority filter;
                    udp sport %1$d ct mark != 1 drop
                  }
                }
                """.formatted(PORT));
    }

    /** Drops all packets from and to the internet, while the server runs. */
    public void blockTraffic() {
        namespace.nft("""
                table inet blocked {
                  chain in { type filter hook prerouting priority raw; iifname "eth0" drop; }
                  chain out { type filter hook output priority raw; oifname "eth0" drop; }
                }
                """);
    }

    /** Drops all packets of one family from and to the internet, while the server runs. */
    public void blockTraffic(Family family) {
        namespace.nft("""
                table inet blocked {
                  chain in { type filter hook prerouting priority raw; iifname "eth0" meta nfproto %1$s drop; }
                  chain out { type filter hook output priority raw; oifname "eth0" meta nfproto %1$s drop; }
                }
                """.formatted(family == Family.IPV4 ? "ipv4" : "ipv6"));
    }

    /** Drops the data (messages of type 4, white paper, section 5.4.6) that the server receives; handshakes succeed. */
    public void loseReceivedData() {
        namespace.nft("""
                table inet blocked {
                  chain in {
                    type filter hook prerouting priority raw;
                    iifname "eth0" udp dport %d @th,64,8 4 drop
                  }
                }
                """.formatted(PORT));
    }

    /**
     * Drops everything that arrives by the tunnel, while handshakes and keepalives go on: those of the server too, one each second.
     *
     * @param customer the customer's endpoint
     */
    public void dropTunnelTraffic(String customer) {
        sendKeepalivesTo(customer);
        namespace.nft("""
                table inet blocked {
                  chain in { type filter hook prerouting priority raw; iifname "%s" drop; }
                }
                """.formatted(link));
    }

    /** Undoes {@link #blockTraffic}, {@link #loseReceivedData} and {@link #dropTunnelTraffic}. */
    public void unblockTraffic() {
        namespace.nft("delete table inet blocked");
    }

    /** Returns how many bytes its server has received from the customer. */
    public long received() {
        return Long.parseLong(
                namespace.run("wg", "show", link, "transfer").strip().split("\\s+", -1)[1]);
    }

    /** Starts to count the packets from its customers to these addresses. */
    public void countPacketsTo(String address4, String address6) {
        namespace.nft("""
                table inet watch {
                  chain customers {
                    type filter hook prerouting priority -300;
                    iifname "%1$s" ip daddr %2$s counter
                    iifname "%1$s" ip6 daddr %3$s counter
                  }
                }
                """.formatted(link, address4, address6));
    }

    /** Returns how many packets were counted. */
    public long countedPackets() {
        return Pattern.compile("packets (\\d+)")
                .matcher(namespace.run("nft", "list", "table", "inet", "watch"))
                .results()
                .mapToLong(match -> Long.parseLong(match.group(1)))
                .sum();
    }

    @Override
    public void close() {
        stop();
    }
}
