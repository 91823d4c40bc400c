package io.culvert.lab;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A VPN provider: one WireGuard server that translates its customers' addresses to its own, and answers DNS on its inner
 * address. It can die, fall silent, and return.
 */
public final class Provider implements AutoCloseable {

    /** The port of its server. */
    public static final int PORT = 51820;

    private final Namespace space;
    private final int number;
    private final String link;
    private final String serverKey = WireGuard.privateKey();
    private final String customerKey = WireGuard.privateKey();
    private @Nullable WireGuard server;

    Provider(Namespace space, int number) {
        this.space = space;
        this.number = number;
        // The sockets of the userspace program share one directory, whatever the namespace.
        this.link = space.name().replace("-", "").replace("provider", "p");
        space.nft("""
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
                """.formatted(inner4(), Lab.RESOLVER_4, inner6(), Lab.RESOLVER_6, link));
        live();
    }

    static String outer4(int number) {
        return "203.0.113." + (16 * number + 10);
    }

    static String outer6(int number) {
        return network6(number) + "10";
    }

    static String network6(int number) {
        return "2001:db8:f" + (number == 0 ? "" : number) + "::";
    }

    /** Where its server is reached, and who its customers seem to be. */
    public String outer4() {
        return outer4(number);
    }

    public String outer6() {
        return outer6(number);
    }

    /** Its own address in the tunnel, where it answers DNS. */
    public String inner4() {
        return "10.64." + number + ".1";
    }

    public String inner6() {
        return "fd00:" + (64 + number) + "::1";
    }

    /** The customer's address in the tunnel. */
    public String customer4() {
        return "10.64." + number + ".2";
    }

    public String customer6() {
        return "fd00:" + (64 + number) + "::2";
    }

    public Namespace space() {
        return space;
    }

    /** The file that the customer gets from the provider, both families, with the server's IPv4 address. */
    public String file() {
        return file(outer4() + ":" + PORT, "0.0.0.0/0, ::/0");
    }

    /**
     * The customer's file.
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
                customerKey, customer4(), customer6(), inner4(), WireGuard.publicKey(serverKey), allowedIps, endpoint);
    }

    /** Ends the server at once: its port is closed and all sessions are forgotten. */
    public void die() {
        if (server != null) {
            server.close();
            server = null;
        }
    }

    /** Starts the server, with its old keys. */
    public void live() {
        server = WireGuard.up(space, link, """
                [Interface]
                PrivateKey = %s
                ListenPort = %d
                [Peer]
                PublicKey = %s
                AllowedIPs = %s/32, %s/128
                """.formatted(
                        serverKey, PORT, WireGuard.publicKey(customerKey), customer4(), customer6()));
        space.ip(
                "address add " + inner4() + "/24 dev " + link,
                "address add " + inner6() + "/64 dev " + link + " nodad",
                "link set " + link + " mtu 1420 up");
        server.awaitUp();
    }

    /** Sends to its customer first, who is there. */
    public void seek(String endpoint) {
        String customer = WireGuard.publicKey(customerKey);
        space.run("wg", "set", link, "peer", customer, "endpoint", endpoint, "persistent-keepalive", "1");
    }

    /** Goes on running, but neither hears nor answers anything from outside. */
    public void fallSilent() {
        space.nft("""
                table inet silence {
                  chain in { type filter hook prerouting priority raw; iifname "eth0" drop; }
                  chain out { type filter hook output priority raw; oifname "eth0" drop; }
                }
                """);
    }

    public void speak() {
        space.nft("delete table inet silence");
    }

    /** Bytes that its server has received from the customer, by its own count. */
    public long received() {
        return Long.parseLong(space.run("wg", "show", link, "transfer").strip().split("\\s+", -1)[1]);
    }

    /** Counts from now on what its customers send to these addresses, which are none of its own affair. */
    public void watchFor(String address4, String address6) {
        space.nft("""
                table inet watch {
                  chain customers {
                    type filter hook prerouting priority -300;
                    iifname "%1$s" ip daddr %2$s counter
                    iifname "%1$s" ip6 daddr %3$s counter
                  }
                }
                """.formatted(link, address4, address6));
    }

    /** How many packets that were. */
    public long watched() {
        return Pattern.compile("packets (\\d+)")
                .matcher(space.run("nft", "list", "table", "inet", "watch"))
                .results()
                .mapToLong(found -> Long.parseLong(found.group(1)))
                .sum();
    }

    @Override
    public void close() {
        die();
    }
}
