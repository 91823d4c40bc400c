// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static io.culvert.linux.FreshNamespace.inside;
import static io.culvert.linux.FreshNamespace.run;
import static io.culvert.linux.FreshNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.NamespaceTest;
import io.culvert.linux.TestNamespace;
import io.culvert.net.Prefix;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reads rulesets that nft and iptables made, with the listing of nft for comparison. */
@NamespaceTest
class RulesetReaderTest {

    private static final String SETS = """
            table inet sets {
              counter total {
              }
              set empty { type ipv4_addr; }
              set hosts { type ipv4_addr; elements = { 203.0.113.1, 198.51.100.7 } }
              set networks6 { type ipv6_addr; flags interval; elements = { 2001:db8::/32, fe80::1-fe80::5, ff00::/8 } }
              set networks { type ipv4_addr; flags interval; elements = { 0.0.0.0/8, 10.0.0.0/8, 192.168.0.3-192.168.1.9, 224.0.0.0/3 } }
              set neighbours { type ipv4_addr; flags interval; elements = { 10.0.0.0/16, 10.1.0.0/16, 10.3.0.0/32 } }
              set everything { type ipv4_addr; flags interval; elements = { 0.0.0.0/0 } }
              set ports { type inet_service; flags interval; elements = { 0-21, 53, 1024-65535 } }
              set links { type ifname; elements = { "lo", "veth-of-15-byte" } }
              set marks { type mark; elements = { 0x1, 0x51000000 } }
              set masks { type mark; flags interval; elements = { 0x100-0x1ff, 0x51000000-0xffffffff } }
              set protocols { type inet_proto . inet_service; elements = { 6 . 443, 17 . 51820 } }
              set services {
                type ipv4_addr . inet_proto . inet_service; flags interval
                elements = { 203.0.113.0/24 . 6 . 80-90, 198.51.100.7 . 17 . 53, 0.0.0.0/0 . 6 . 1024-65535 }
              }
              set pairs6 { type ipv6_addr . ipv6_addr; flags interval; elements = { 2001:db8::/32 . fe80::/10 } }
              set counted { type ipv4_addr; counter; elements = { 203.0.113.4 } }
              set limited { type ipv4_addr; limit rate 1/second; elements = { 203.0.113.4 } }
              set timed { type ipv4_addr; flags timeout; elements = { 203.0.113.4 timeout 1h, 203.0.113.5 } }
              set timedNetworks { type ipv4_addr; flags interval,timeout; timeout 1h; elements = { 203.0.113.0/26, 203.0.113.64/26 } }
              set seen { type ipv4_addr; flags dynamic; elements = { 203.0.113.4 } }
              set rest { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, * } }
              map markOf { type ipv4_addr : mark; flags interval; elements = { 10.0.0.0/16 : 1, 10.1.0.0/16 : 2, * : 3 } }
              map markOfPort { type inet_service : mark; elements = { 22 : 7 } }
              map verdicts {
                type inet_service : verdict; flags interval
                elements = { 22 : drop, 80-90 : jump other, 1024-65535 : goto other, * : accept }
              }
              map counters { type ipv4_addr : counter; elements = { 203.0.113.4 : "total" } }
              chain other {
              }
            }
            """;

    private static KernelRuleset read() {
        try (RulesetReader reader = RulesetReader.open()) {
            return reader.read();
        }
    }

    private static void nft(Path folder, String ruleset) throws Exception {
        Path file = folder.resolve("ruleset.nft");
        Files.writeString(file, ruleset);
        run("nft", "-f", file.toString());
    }

    /** Compares tables, chains, rules and named sets with the listing of nft. */
    private static KernelRuleset readAndCompare() throws Exception {
        KernelRuleset ruleset = read();
        assertThat(ruleset.unreadable()).isEmpty();
        assertThat(ruleset.generation()).isPresent();
        assertThat(RulesetOutline.of(ruleset))
                .containsExactlyInAnyOrderElementsOf(
                        RulesetOutline.parse(run("nft", "-j", "-n", "-a", "list", "ruleset")));
        return ruleset;
    }

    private static KernelSet set(KernelRuleset ruleset, String name) {
        return ruleset.tables().getFirst().set(name).orElseThrow();
    }

    private static List<String> keys(KernelSet set) {
        HexFormat hex = HexFormat.of();
        return set.elements().stream()
                .map(element -> element.isCatchAll()
                        ? "*"
                        : hex.formatHex(element.first()) + '-' + hex.formatHex(element.last()))
                .toList();
    }

    @Test
    void a_namespace_without_rules_has_no_tables() throws Exception {
        inside(() -> assertThat(readAndCompare().tables()).isEmpty());
    }

    @Test
    void every_kind_of_set_has_the_elements_that_nft_lists(@TempDir Path folder) throws Exception {
        inside(() -> {
            nft(folder, SETS);
            KernelRuleset ruleset = readAndCompare();

            assertThat(keys(set(ruleset, "networks")))
                    .as("both keys belong to an interval, and the last one is open-ended in the kernel")
                    .containsExactly(
                            "00000000-00ffffff", "0a000000-0affffff", "c0a80003-c0a80109", "e0000000-ffffffff");
            assertThat(keys(set(ruleset, "everything"))).containsExactly("00000000-ffffffff");
            assertThat(keys(set(ruleset, "ports"))).containsExactly("0000-0015", "0035-0035", "0400-ffff");
            assertThat(set(ruleset, "services").fieldLengths()).containsExactly(4, 1, 2);
            assertThat(keys(set(ruleset, "services"))).contains("cb0071000600000000500000-cb0071ff06000000005a0000");
            assertThat(set(ruleset, "protocols").fieldLengths()).isEmpty();
            assertThat(set(ruleset, "verdicts").elements())
                    .extracting(element -> element.verdict().orElseThrow())
                    .containsExactlyInAnyOrder(
                            new KernelVerdict(NfTables.NF_DROP, ""),
                            new KernelVerdict(NfTables.NFT_JUMP, "other"),
                            new KernelVerdict(NFT_GOTO, "other"),
                            new KernelVerdict(NfTables.NF_ACCEPT, ""));
            assertThat(ruleset.tables().getFirst().sets())
                    .filteredOn(set -> set.elements().stream().anyMatch(KernelSet.Element::isConditional))
                    .extracting(KernelSet::name)
                    .containsExactlyInAnyOrder("limited", "timed", "timedNetworks", "seen", "counters");
            assertThat(set(ruleset, "timed").elements())
                    .as("only one has a timeout")
                    .extracting(KernelSet.Element::isConditional)
                    .containsExactlyInAnyOrder(true, false);
            assertThat(ruleset.tables().getFirst().sets())
                    .filteredOn(KernelSet::isDynamic)
                    .extracting(KernelSet::name)
                    .containsExactly("seen");
            assertThat(ruleset.tables().getFirst().sets())
                    .filteredOn(KernelSet::isMap)
                    .extracting(KernelSet::name)
                    .containsExactlyInAnyOrder("markOf", "markOfPort", "verdicts", "counters");
        });
    }

    /** {@code NFT_GOTO} (include/uapi/linux/netfilter/nf_tables.h). */
    private static final int NFT_GOTO = -4;

    @Test
    void a_packet_that_adds_to_a_set_changes_no_generation(@TempDir Path folder) throws Exception {
        inside(() -> {
            nft(folder, """
                    table ip seen {
                      set to { type ipv4_addr; flags dynamic; timeout 1h; }
                      chain output { type filter hook output priority 0; update @to { ip daddr counter }; }
                    }
                    """);
            KernelRuleset before = read();
            try (DatagramSocket socket = new DatagramSocket()) {
                socket.send(new DatagramPacket(new byte[1], 1, InetAddress.getLoopbackAddress(), 9));
            }
            KernelRuleset after = readAndCompare();
            assertThat(after.generation()).isEqualTo(before.generation());
            assertThat(set(before, "to").elements()).isEmpty();
            assertThat(set(after, "to").isDynamic()).isTrue();
            assertThat(keys(set(after, "to"))).containsExactly("7f000001-7f000001");
            assertThat(set(after, "to").elements()).allMatch(KernelSet.Element::isConditional);
        });
    }

    @Test
    void tables_and_chains_of_every_family_are_as_nft_lists_them(@TempDir Path folder) throws Exception {
        inside(() -> {
            sh("ip link add v0 type veth peer v1");
            nft(folder, """
                    table inet one {
                      chain regular {
                        accept comment "the first"
                        tcp dport { 1-5, 9 } drop
                        ip daddr vmap { 203.0.113.0/24 : accept, 198.51.100.0/24 : drop, 192.0.2.0-192.0.2.4 : goto second } comment "the third"
                        iifname { "a", "b" } meta mark set ip saddr map { 10.0.0.0/8 : 0x1, 10.0.0.0/8 : 0x1 }
                      }
                      chain second {
                      }
                      chain input { type filter hook input priority -5; policy drop; jump regular; }
                      chain output { type route hook output priority mangle; }
                      chain forward { type filter hook forward priority 2147483647; }
                      chain ingress { type filter hook ingress device v0 priority 7; }
                    }
                    table inet two {
                      chain regular {
                        drop comment "of the other table"
                      }
                    }
                    table ip one { chain prerouting { type nat hook prerouting priority dstnat; meta l4proto tcp dnat to 192.0.2.1:80-90; }
                    }
                    table ip6 one { chain postrouting { type nat hook postrouting priority 300; masquerade random; }
                    }
                    table arp one { chain output { type filter hook output priority 0; policy drop; }
                    }
                    table bridge one { chain forward { type filter hook forward priority 0; }
                    }
                    table netdev one {
                      chain in { type filter hook ingress devices = { lo, v0 } priority 1; policy drop; }
                      chain out { type filter hook egress device v1 priority 2; fwd to v0; }
                    }
                    table ip6 dormant {
                      flags dormant
                      chain output { type filter hook output priority 0; policy drop; }
                    }
                    """);
            KernelRuleset ruleset = readAndCompare();

            assertThat(ruleset.tables())
                    .filteredOn(KernelTable::isDormant)
                    .extracting(KernelTable::fullName)
                    .containsExactly("ip6 dormant");
            assertThat(links(ruleset, "inet one", "ingress")).containsExactly("v0");
            assertThat(links(ruleset, "netdev one", "in")).containsExactlyInAnyOrder("lo", "v0");
            assertThat(links(ruleset, "netdev one", "out")).containsExactly("v1");
            KernelTable first = ruleset.tables().getFirst();
            List<String> ofMaps = new ArrayList<>();
            for (TableRule rule : first.chain("regular").orElseThrow().rules()) {
                rule.expressions().stream()
                        .flatMap(it ->
                                it
                                        .text(NfTables.NFTA_LOOKUP_SET)
                                        .filter(_ -> it.name().equals("lookup"))
                                        .stream())
                        .forEach(name ->
                                ofMaps.add(String.join(",", keys(first.set(name).orElseThrow()))));
            }
            assertThat(ofMaps)
                    .as("anonymous sets have their elements too")
                    .contains("0001-0005,0009-0009", "c0000200-c0000204,c6336400-c63364ff,cb007100-cb0071ff");
        });
    }

    private static List<String> links(KernelRuleset ruleset, String table, String chain) {
        return ruleset.tables().stream()
                .filter(it -> it.fullName().equals(table))
                .flatMap(it -> it.chain(chain).stream())
                .flatMap(it -> it.hook().stream())
                .flatMap(it -> it.links().stream())
                .toList();
    }

    /** As the programs make them: with iptables-nft, whose matches and targets are opaque to nft. */
    @ParameterizedTest
    @ValueSource(strings = {"docker", "podman", "tailscale", "kube-proxy"})
    void rulesets_of_other_programs_are_read(String program, @TempDir Path folder) throws Exception {
        inside(() -> {
            Path file = folder.resolve("ruleset");
            Files.writeString(file, OtherPrograms.ruleset(program));
            if (OtherPrograms.isIptables(program)) {
                run("iptables-nft-restore", file.toString());
            } else {
                run("nft", "-f", file.toString());
            }
            KernelRuleset ruleset = read();

            assertThat(ruleset.unreadable()).isEmpty();
            assertThat(RulesetOutline.of(ruleset))
                    .containsExactlyInAnyOrderElementsOf(
                            RulesetOutline.parse(run("nft", "-j", "-n", "-a", "list", "ruleset")));
            assertThat(ruleset.tables().stream()
                            .flatMap(table -> table.chains().stream())
                            .flatMap(chain -> chain.rules().stream())
                            .flatMap(rule -> rule.expressions().stream())
                            .map(Expression::name)
                            .collect(Collectors.toSet()))
                    .containsAll(OtherPrograms.expressions(program));
        });
    }

    @Test
    void ten_thousand_intervals_are_read(@TempDir Path folder) throws Exception {
        inside(() -> {
            nft(
                    folder,
                    "table inet large { set s { type ipv6_addr; flags interval; elements = { "
                            + IntStream.range(0, 10_000)
                                    .mapToObj(i -> "2001:db8:" + Integer.toHexString(2 * i) + "::/48")
                                    .collect(Collectors.joining(", "))
                            + " }\n}\n}");
            assertThat(set(readAndCompare(), "s").elements()).hasSize(10_000);
        });
    }

    @Test
    void an_unchanged_ruleset_is_not_read_again(@TempDir Path folder) throws Exception {
        inside(() -> {
            try (RulesetReader reader = RulesetReader.open()) {
                nft(folder, "table inet one {\n}");
                KernelRuleset once = reader.read();
                assertThat(reader.read()).isSameAs(once);
                nft(folder, "table inet two {\n}");
                assertThat(reader.read().tables())
                        .extracting(KernelTable::fullName)
                        .containsExactlyInAnyOrder("inet one", "inet two");
            }
        });
    }

    /** Each transaction gives all sets the same element, so that a listing of several moments would show. */
    @Test
    void a_listing_with_a_generation_is_of_one_moment() {
        try (TestNamespace namespace = new TestNamespace();
                Nftables nftables = namespace.inside(Nftables::open);
                RulesetReader reader = namespace.inside(RulesetReader::open)) {
            nftables.apply(List.of(table(0)));
            AtomicBoolean isDone = new AtomicBoolean();
            CompletableFuture<Integer> changes = CompletableFuture.supplyAsync(() -> {
                int count = 0;
                while (!isDone.get()) {
                    nftables.apply(List.of(table(++count % 200)));
                }
                return count;
            });
            int consistent = 0;
            try {
                for (int attempt = 0; attempt < 500; attempt++) {
                    KernelRuleset ruleset = reader.read();
                    if (ruleset.generation().isPresent()) {
                        consistent++;
                        assertThat(ruleset.unreadable()).isEmpty();
                        assertThat(ruleset.tables().getFirst().sets()).hasSize(50);
                        assertThat(ruleset.tables().getFirst().sets().stream()
                                        .map(RulesetReaderTest::keys)
                                        .distinct())
                                .hasSize(1);
                    }
                }
            } finally {
                isDone.set(true);
            }
            assertThat(changes.join()).isPositive();
            assertThat(consistent).isPositive();
        }
    }

    private static Table table(int number) {
        List<NftValue> element = List.of(new NftValue.Address(Prefix.parse("192.0.2." + number)));
        return new Table(
                new Table.Id(Table.Family.INET, "changing"),
                IntStream.range(0, 50)
                        .mapToObj(i -> new NamedSet("s" + i, List.of(NamedSet.Part.IPV4), false, element))
                        .toList(),
                List.of());
    }
}
