// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The audit raises no false alarm beside what other programs usually set up, with several settings. */
@NamespaceTest
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class OrdinarySetupsTest {

    /** Deletes all tables but Culvert's. */
    private static final String CLEAR =
            "nft list tables | grep -v ' culvert' | while read -r _ family name; do nft delete table $family $name; done";

    private static final Map<String, String> ORDINARY = new LinkedHashMap<>();

    /** What is to be undone besides the tables. */
    private static final Map<String, String> UNDO = new LinkedHashMap<>();

    static {
        ORDINARY.put("nothing else", ":");
        ORDINARY.put("Docker's resolver in a container", """
                iptables -t nat -N DOCKER_OUTPUT
                iptables -t nat -N DOCKER_POSTROUTING
                iptables -t nat -A OUTPUT -d 127.0.0.11 -j DOCKER_OUTPUT
                iptables -t nat -A POSTROUTING -d 127.0.0.11 -j DOCKER_POSTROUTING
                iptables -t nat -A DOCKER_OUTPUT -d 127.0.0.11 -p tcp --dport 53 -j DNAT --to-destination 127.0.0.11:39817
                iptables -t nat -A DOCKER_OUTPUT -d 127.0.0.11 -p udp --dport 53 -j DNAT --to-destination 127.0.0.11:48124
                iptables -t nat -A DOCKER_POSTROUTING -s 127.0.0.11 -p tcp --sport 39817 -j SNAT --to-source :53
                iptables -t nat -A DOCKER_POSTROUTING -s 127.0.0.11 -p udp --sport 48124 -j SNAT --to-source :53
                """);
        ORDINARY.put("Docker on a machine", """
                ip link add docker0 type bridge
                ip addr add 172.17.0.1/16 dev docker0
                iptables -P FORWARD DROP
                iptables -N DOCKER-USER
                iptables -N DOCKER
                iptables -A DOCKER-USER -j RETURN
                iptables -A FORWARD -j DOCKER-USER
                iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
                iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
                iptables -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
                iptables -t nat -N DOCKER
                iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
                iptables -t nat -A DOCKER ! -i docker0 -p tcp --dport 8088 -j DNAT --to-destination 172.17.0.2:80
                """);
        UNDO.put("Docker on a machine", "ip link delete docker0");
        ORDINARY.put("Podman's network (netavark)", """
                nft -f - << END
                table inet netavark {
                  chain FORWARD { type filter hook forward priority filter; policy accept;
                    ct state invalid drop
                    ip daddr 10.88.0.0/16 ct state established,related accept
                    ip saddr 10.88.0.0/16 accept; }
                  chain POSTROUTING { type nat hook postrouting priority srcnat; policy accept;
                    meta mark & 0x00002000 == 0x00002000 masquerade
                    ip saddr 10.88.0.0/16 ip daddr != 224.0.0.0/4 masquerade; }
                  chain PREROUTING { type nat hook prerouting priority dstnat; policy accept;
                    fib daddr type local tcp dport 8089 dnat ip to 10.88.0.2:80; }
                }
                END
                """);
        ORDINARY.put("Debian's default ruleset", """
                nft -f - << END
                table inet filter {
                  chain input { type filter hook input priority filter; }
                  chain forward { type filter hook forward priority filter; }
                  chain output { type filter hook output priority filter; }
                }
                END
                """);
        ORDINARY.put("a workstation's ruleset", """
                nft -f - << END
                table inet workstation {
                  set blocked { type ipv4_addr; flags interval, timeout; elements = { 198.51.100.128/25 timeout 1h }; }
                  chain input { type filter hook input priority filter; policy drop;
                    iif lo accept
                    ct state established,related accept
                    ct state invalid drop
                    ip saddr @blocked counter drop
                    icmp type echo-request limit rate 5/second accept
                    meta l4proto ipv6-icmp accept
                    tcp dport { 22, 8080 } accept
                    log prefix "dropped: "; }
                  chain output { type filter hook output priority filter; policy accept; counter; }
                }
                END
                """);
        ORDINARY.put("firewalld", """
                nft -f - << END
                table inet firewalld {
                  chain mangle_PREROUTING { type filter hook prerouting priority mangle + 10; policy accept; }
                  chain filter_PREROUTING { type filter hook prerouting priority filter + 10; policy accept;
                    icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
                    meta nfproto ipv6 fib saddr . mark . iif oif missing drop; }
                  chain filter_INPUT { type filter hook input priority filter + 10; policy accept;
                    ct state { established, related } accept
                    ct status dnat accept
                    iifname "lo" accept
                    ct state invalid drop
                    reject with icmpx admin-prohibited; }
                  chain filter_OUTPUT { type filter hook output priority filter + 10; policy accept;
                    ct state { established, related } accept
                    oifname "lo" accept
                    ip6 daddr { ::/96, 2002:c000::/24 } reject with icmpv6 addr-unreachable; }
                }
                END
                """);
        ORDINARY.put("ufw", """
                iptables -N ufw-before-output
                iptables -A OUTPUT -j ufw-before-output
                iptables -A ufw-before-output -o lo -j ACCEPT
                iptables -A ufw-before-output -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
                iptables -A OUTPUT -m conntrack --ctstate NEW -j ACCEPT
                iptables -P INPUT DROP
                iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
                iptables -A INPUT -p udp -m multiport --dports 53,67,68,51820 -j ACCEPT
                ip6tables -A INPUT -m hl --hl-eq 255 -p ipv6-icmp -j ACCEPT
                """);
        ORDINARY.put("fail2ban", """
                nft -f - << END
                table inet f2b-table {
                  set addr-set-sshd { type ipv4_addr; elements = { 203.0.113.77 }; }
                  chain f2b-chain { type filter hook input priority filter - 1; policy accept;
                    tcp dport 22 ip saddr @addr-set-sshd reject with icmp port-unreachable; }
                }
                END
                """);
        ORDINARY.put("libvirt", """
                nft -f - << END
                table ip libvirt_network {
                  chain guest_output { }
                  chain forward { type filter hook forward priority filter; policy accept; counter jump guest_output; }
                  chain guest_nat { type nat hook postrouting priority srcnat; policy accept;
                    ip saddr 192.168.122.0/24 ip daddr { 224.0.0.0/24, 255.255.255.255 } return
                    meta l4proto tcp ip saddr 192.168.122.0/24 ip daddr != 192.168.122.0/24 masquerade to :1024-65535; }
                }
                END
                """);
        ORDINARY.put("MSS and DSCP in the mangle table", """
                iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
                iptables -t mangle -A POSTROUTING -p udp --dport 51820 -j DSCP --set-dscp 46
                """);
        ORDINARY.put("accounting", """
                nft -f - << END
                table inet accounting {
                  counter total { }
                  chain out { type filter hook postrouting priority 300; policy accept; counter name total; }
                  chain in { type filter hook prerouting priority -400; policy accept; counter name total; }
                }
                END
                """);
        ORDINARY.put("NetworkManager's second connection", """
                ip link add wlan0 type veth peer name access0
                ip link set wlan0 up
                ip link set access0 up
                ip addr add 10.77.0.5/24 dev wlan0
                # The kernel looks the gateway up by the rule for the new link.
                timeout 30 sh -c 'until ip rule | grep -q "oif wlan0"; do :; done'
                ip route add default via 10.77.0.1 dev wlan0 metric 600
                """);
        UNDO.put("NetworkManager's second connection", "ip link delete wlan0");
        ORDINARY.put("routing by source address", """
                ip route add default via %s table 200
                ip rule add pref 31000 from 192.0.2.77 lookup 200
                """.formatted(Lab.ROUTER_IPV4));
        UNDO.put("routing by source address", "ip rule delete pref 31000; ip route flush table 200");
        ORDINARY.put("the rule for VRFs", """
                ip rule add pref 1000 l3mdev
                ip -6 rule add pref 1000 l3mdev
                """);
        UNDO.put("the rule for VRFs", "ip rule delete pref 1000; ip -6 rule delete pref 1000");
        ORDINARY.put("a virtual machine's bridge without addresses", """
                ip link add virbr0 type bridge
                ip link set virbr0 up
                ip link add tap9 type veth
                ip link set tap9 master virbr0
                """);
        UNDO.put("a virtual machine's bridge without addresses", "ip link delete tap9; ip link delete virbr0");
        ORDINARY.put("blackholes for private networks", """
                ip route add unreachable 10.0.0.0/8 metric 1024
                ip route add blackhole 198.18.0.0/15
                ip -6 route add unreachable fc00::/7 metric 2048
                """);
        UNDO.put("blackholes for private networks", """
                ip route delete unreachable 10.0.0.0/8
                ip route delete blackhole 198.18.0.0/15
                ip -6 route delete unreachable fc00::/7
                """);
        ORDINARY.put(
                "a redirected port", "iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080\n");
        ORDINARY.put("NodeLocal DNSCache's untracked queries", """
                iptables -t raw -A PREROUTING -d 169.254.20.10 -p udp --dport 53 -j CT --notrack
                iptables -t raw -A OUTPUT -s 169.254.20.10 -p udp --sport 53 -j CT --notrack
                """);
        ORDINARY.put("a rate limit for new connections", """
                iptables -A INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name SSH || true
                nft -f - << END
                table inet limits {
                  set meter4 { type ipv4_addr; flags dynamic, timeout; timeout 1m; }
                  chain in { type filter hook input priority -5; policy accept;
                    tcp dport 22 ct state new add @meter4 { ip saddr limit rate over 10/minute } drop; }
                }
                END
                """);
    }

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private void nothing_else_may_leave(Map<String, String> settings) {
        RunningProgram culvert = fixture.connect(settings);
        List<String> alarms = new ArrayList<>();
        ORDINARY.forEach((name, script) -> {
            fixture.shell(script);
            CommandResult audit = fixture.run(settings, "audit");
            if (audit.status() != 0 || !audit.out().contains("Nothing else may leave.")) {
                alarms.add(name + ":\n" + audit.out() + audit.err());
            }
            fixture.shell(UNDO.getOrDefault(name, ":"));
            fixture.shell(CLEAR);
        });

        assertThat(alarms).isEmpty();
        assertThat(fixture.run(settings, "health", "--wait", "30").status())
                .as(culvert.output())
                .isZero();
    }

    @Test
    void the_audit_raises_no_alarm_beside_other_programs() {
        nothing_else_may_leave(ExitNodeFixture.withoutMesh(Map.of()));
    }

    @Test
    void the_audit_raises_no_alarm_beside_other_programs_where_much_is_allowed() {
        nothing_else_may_leave(ExitNodeFixture.withoutMesh(Map.of(
                "CULVERT_BYPASS", "198.51.100.2:8080/tcp",
                "CULVERT_PUBLISH", "8080",
                "CULVERT_SOCKS", "true",
                "CULVERT_LAN_ALLOW", "198.51.100.0/24")));
    }
}
