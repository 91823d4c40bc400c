// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.net.Family;
import io.culvert.net.MaskedMark;
import io.culvert.net.Prefix;
import io.culvert.net.Transport;
import io.culvert.netlink.MalformedMessageException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.rtnl.KernelRoute.Hop;
import io.culvert.rtnl.PolicyRule.Action;
import io.culvert.rtnl.PolicyRule.Mark;
import io.culvert.rtnl.PolicyRule.Selector;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Decodes messages recorded from a little-endian kernel 6.18. */
class KernelMessagesTest {

    private static final Map<Integer, String> NAMES = Map.of(1, "lo", 2, "wg0", 4, "up0");

    private static NetlinkMessage message(int type, String hex) {
        return new NetlinkMessage(type, 0, HexFormat.of().parseHex(hex));
    }

    private static KernelRoute route(String hex) {
        return KernelRoute.decode(message(RtNetlink.RTM_NEWROUTE, hex)).orElseThrow();
    }

    private static KernelRule rule(String hex) {
        return KernelRule.decode(message(RtNetlink.RTM_NEWRULE, hex)).orElseThrow();
    }

    private static KernelAddress address(String hex) {
        return KernelAddress.decode(message(RtNetlink.RTM_NEWADDR, hex)).orElseThrow();
    }

    @Test
    void a_link_has_its_name_and_alias() {
        assertThat(KernelLink.decode(message(
                        RtNetlink.RTM_NEWLINK,
                        "0000feff0200000091100000000000000800030077673000080004008c0500000c00140063756c7665727400")))
                .contains(new KernelLink(2, "wg0", "", 1420, "culvert", true, false));
    }

    @Test
    void an_address_has_its_protocol_and_whether_it_is_point_to_point() {
        assertThat(address("0220800002000000080001000a400002080002000a40000208000300776730000800080080000000")
                        .linkAddress(NAMES))
                .contains(DesiredStates.address("10.64.0.2/32"));
        KernelAddress pointToPoint =
                address("0220800002000000080001000a400006080002000a40000508000300776730000800080080000000");
        assertThat(pointToPoint.pointToPoint()).isTrue();
        assertThat(pointToPoint.address()).isEqualTo(Prefix.parse("10.64.0.5/32"));
        assertThat(pointToPoint.linkAddress(NAMES)).isEmpty();
        KernelAddress linkLocal =
                address("0a40c0fd0400000014000100fe8000000000000050d897fffefb692d08000800c000000005000b0003000000");
        assertThat(linkLocal.protocol()).isEqualTo(3);
        assertThat(linkLocal.global()).isFalse();
    }

    @Test
    void a_route_of_culvert_is_decoded() {
        KernelRoute limited = route("02000000fc43fd011000000008000f006cca00000c00080008000200640500000800040002000000");
        assertThat(limited.isOurs()).isTrue();
        assertThat(limited.route(NAMES))
                .contains(new Route(
                        Route.Type.UNICAST,
                        Prefix.all(Family.IPV4),
                        51820,
                        Optional.of("wg0"),
                        Optional.empty(),
                        OptionalInt.of(1380)));
        assertThat(route("02180000fc4300070000000008000f006cca000008000100cb007100")
                        .route(NAMES))
                .contains(Route.unreachable(Prefix.parse("203.0.113.0/24"), 51820));
        assertThat(route("0a200000fc4300070000000008000f006cca00001400010020010db8000000000000000000000000"
                                + "080006000004000008000400010000000500140000000000")
                        .route(NAMES))
                .as("IPv6 names the loopback link")
                .contains(Route.unreachable(Prefix.parse("2001:db8::/32"), 51820));
    }

    @Test
    void the_hops_of_a_foreign_route_are_decoded_even_if_the_route_cannot_be_expressed() {
        KernelRoute multipath = route("02180000fe0300010000000008000f00fe00000008000100cb0071002400090010000000"
                + "0400000008000500c0000201100000000400000008000500c6336401");
        assertThat(multipath.hops())
                .containsExactly(
                        new Hop(4, Optional.of(Prefix.parseAddress("192.0.2.1")), true),
                        new Hop(4, Optional.of(Prefix.parseAddress("198.51.100.1")), true));
        assertThat(multipath.route(NAMES)).isEmpty();
        KernelRoute viaIpv6 = route("02190000fe0300010000000008000f00fe00000008000100c6336480160012000a00fe80"
                + "0000000000000000000000000001" + "0000" + "0800040004000000");
        assertThat(viaIpv6.hops()).containsExactly(new Hop(4, Optional.of(Prefix.parseAddress("fe80::1")), true));
        assertThat(viaIpv6.route(NAMES)).isEmpty();
        KernelRoute withMetric =
                route("02000000fe0300010000000008000f00fe000000080006003200000008000500c00002010800040004000000");
        assertThat(withMetric.metric()).isEqualTo(50);
        assertThat(withMetric.route(NAMES))
                .hasValueSatisfying(route -> assertThat(route.metric()).isEqualTo(50));
    }

    @Test
    void a_rule_is_decoded_and_defaults_are_ignored() {
        KernelRule bypasses = rule("02200000fe0000010000000008000f00fe00000008000e00ffffffff05001500430000000700"
                + "03006c6f000008000600ec13000008001800bb01bb0106001d00ffff0000050016000600000008000100c6336407");
        assertThat(bypasses.isOurs()).isTrue();
        assertThat(bypasses.rule())
                .as("newer kernels add a mask to the port")
                .contains(DesiredStates.lookup(
                        Family.IPV4,
                        5100,
                        Selector.ANY
                                .inputLink("lo")
                                .to(Prefix.parse("198.51.100.7"))
                                .transport(Transport.TCP)
                                .destinationPort(443),
                        Route.MAIN));
        assertThat(rule("0a000000000000070200000008000f000000000008000e00ffffffff050015004300000008000600dc140000"
                                + "08000a000000005108001000ffffffff")
                        .rule())
                .contains(DesiredStates.unreachable(
                        Family.IPV6,
                        5340,
                        Selector.ANY.mark(Mark.exactly(0x51000000)).not()));
        assertThat(rule("02000000fe0000010000000008000f00fe00000008000e0000000000050015000000000008000600c9140000")
                        .rule())
                .contains(new PolicyRule(
                        Family.IPV4, 5321, Selector.ANY, new Action.Lookup(Route.MAIN, OptionalInt.of(0))));
    }

    @Test
    void a_rule_with_unsupported_conditions_equals_no_rule_of_culvert() {
        List<String> others = List.of(
                // uidrange 1000-2000
                "02000000340000010000000008000f003400000008000e00ffffffff0500150000000000080006001815000"
                        + "00c001400e8030000d0070000",
                // dport 1000-2000
                "02000000340000010000000008000f003400000008000e00ffffffff050015000000000008000600191500000"
                        + "8001800e803d007",
                // dport 443 with a mask of 0xff00
                "02000000340000010000000008000f003400000008000600191500000800180" + "0bb01bb0106001d0000ff0000");
        assertThat(others).allSatisfy(hex -> assertThat(rule(hex).rule()).isEmpty());
    }

    private static LookupRule lookup(String hex) {
        return rule(hex).lookup(name -> Optional.of(name).filter(NAMES::containsValue));
    }

    private static LookupRoute lookupRoute(String hex) {
        return KernelRoute.decodeLookup(message(RtNetlink.RTM_NEWROUTE, hex)).orElseThrow();
    }

    @Test
    void a_rule_of_another_program_has_all_its_conditions() {
        LookupRule withUsers =
                lookup("02000000340000010000000008000f003400000008000e00ffffffff0500150000000000080006001815000"
                        + "00c001400e8030000d0070000");
        assertThat(withUsers.uids()).contains(new LookupRule.UidRange(1000, 2000));
        assertThat(withUsers.hasOtherCondition()).isFalse();
        assertThat(withUsers.text()).isEqualTo("ip -4 rule pref 5400 uidrange 1000-2000 lookup 52");
        LookupRule withPorts =
                lookup("02000000340000010000000008000f003400000008000e00ffffffff050015000000000008000600191500000"
                        + "8001800e803d007");
        assertThat(withPorts.destinationPorts()).contains(new LookupRule.PortRange(1000, 2000));
        assertThat(withPorts.hasOtherCondition()).isFalse();
    }

    @Test
    void a_condition_that_is_not_modelled_may_match_or_not() {
        List<String> others = List.of(
                // dport 443 with a mask of 0xff00
                "02000000340000010000000008000f003400000008000600191500000800180" + "0bb01bb0106001d0000ff0000",
                // dport of another length
                "02000000340000010000000008000f00340000000600180000010000",
                // tos 0x10
                "02000010340000010000000008000f0034000000",
                // dscp, in newer kernels
                "02000000340000010000000008000f00340000000500190004000000",
                // an attribute of a later kernel
                "02000000340000010000000008000f00340000000800280001000000",
                // a source that is missing
                "02002000340000010000000008000f0034000000",
                // uidrange 65534-65534: of a user that has no number here
                "02000000340000010000000008000f00340000000c001400feff0000feff0000",
                // an input link that exists under another name only
                "02000000340000010000000008000f003400000008000300656e3100");
        assertThat(others).allSatisfy(hex -> {
            assertThat(lookup(hex).hasOtherCondition()).isTrue();
            assertThat(lookup(hex).text()).contains("with other conditions");
        });
        assertThat(lookup("02000000340000010800000008000f003400000008000300656e3100"))
                .as("the kernel knows no such link, so that the rule matches nothing")
                .matches(rule -> !rule.hasOtherCondition())
                .matches(rule -> rule.inputLink().equals(Optional.of("en1")));
    }

    @Test
    void a_mark_is_compared_in_the_bits_of_its_mask() {
        assertThat(lookup("02000000340000010000000008000f003400000008000a00ff00000008001000" + "0f000000")
                        .mark())
                .contains(new MaskedMark(0xf, 0xf));
        assertThat(lookup("02000000340000010000000008000f003400000008000a00ff00000008001000" + "00000000")
                        .mark())
                .as("no bits")
                .isEmpty();
        assertThat(lookup("02000000340000010000000008000f0034000000080010000000ff00")
                        .mark())
                .as("the kernel omits a mark of 0")
                .contains(new MaskedMark(0, 0xff0000));
    }

    @Test
    void an_action_that_is_not_modelled_may_do_anything() {
        assertThat(lookup("02000000000000090000000008000f0000000000").action())
                .isEqualTo(new LookupRule.Action.Unknown());
        assertThat(lookup("02000000000000020000000008000f0000000000").action())
                .as("goto without its target")
                .isEqualTo(new LookupRule.Action.Unknown());
        assertThat(lookup("02000000000000010000000008000f00000000000500130001000000")
                        .action())
                .as("the table of the packet's virtual router")
                .isEqualTo(new LookupRule.Action.LookupVirtualRouter());
    }

    @Test
    void a_route_of_another_program_has_all_its_conditions() {
        LookupRoute multipath = lookupRoute("02180010fe0300010000000008000f00fe00000008000100cb0071002400090010000000"
                + "0400000008000500c0000201100010000400000008000500c6336401");
        assertThat(multipath.typeOfService()).isEqualTo(0x10);
        assertThat(multipath.isUnderstood()).isTrue();
        assertThat(multipath.hops()).extracting(LookupRoute.Hop::isUsable).containsExactly(true, false);
        LookupRoute withSource = lookupRoute("0a203000fe0300010000000008000f00fe0000001400010020010db8"
                + "00".repeat(12) + "1400020020010db80006" + "00".repeat(10) + "08000600000400000800040004000000");
        assertThat(withSource.source()).isEqualTo(Prefix.parse("2001:db8:6::/48"));
        assertThat(withSource.metric()).isEqualTo(1024);
    }

    @Test
    void a_route_with_something_that_is_not_modelled_is_not_understood() {
        String route = "02180000fe0300010000000008000f00fe00000008000100cb00710008000400" + "04000000";
        assertThat(lookupRoute(route).isUnderstood()).isTrue();
        assertThat(lookupRoute(route + "0600150001000000").isUnderstood())
                .as("an encapsulation")
                .isFalse();
        assertThat(lookupRoute(route + "0800280001000000").isUnderstood())
                .as("an attribute of a later kernel")
                .isFalse();
        assertThat(lookupRoute("02180000fe03000a0000000008000f00fe00000008000100cb0071000800040004000000")
                        .isUnderstood())
                .as("RTN_NAT")
                .isFalse();
        assertThat(lookupRoute("02180000fe0300010000000008000f00fe00000008000100cb00710008001e0003000000")
                        .isUnderstood())
                .as("a nexthop object whose hops are not listed")
                .isFalse();
        assertThatThrownBy(() -> lookupRoute("02180000fe0300010000000008000f00fe000000"))
                .as("no destination")
                .isInstanceOf(MalformedMessageException.class);
        assertThatThrownBy(() -> lookupRoute("0a003000fe0300010000000008000f00fe000000"))
                .as("no source")
                .isInstanceOf(MalformedMessageException.class);
        assertThat(KernelRoute.decodeLookup(
                        message(RtNetlink.RTM_NEWROUTE, "02180000fe0300010002000008000f00fe00000008000100cb007100")))
                .as("a cache entry")
                .isEmpty();
    }

    @Test
    void other_families_and_message_types_are_ignored() {
        assertThat(KernelRule.decode(
                        message(RtNetlink.RTM_NEWRULE, "80000000fd0000010000000008000f00fd00000008000600ff7f0000")))
                .as("multicast routing")
                .isEmpty();
        NetlinkMessage link = message(RtNetlink.RTM_NEWLINK, "00".repeat(16));
        assertThat(KernelLink.decode(link)).isEmpty();
        assertThat(KernelAddress.decode(link)).isEmpty();
        assertThat(KernelRoute.decode(link)).isEmpty();
        assertThat(KernelRule.decode(link)).isEmpty();
    }

    @Test
    void a_rule_is_encoded_byte_by_byte() {
        PolicyRule rule = DesiredStates.lookup(
                Family.IPV4,
                5310,
                Selector.ANY.inputLink("wg1").mark(Mark.exactly(1)).not(),
                51820);
        assertThat(HexFormat.of().formatHex(KernelRule.message(rule).payload()))
                .isEqualTo("020000000000000102000000" + "08000600be140000" + "0500150043000000" + "0800030077673100"
                        + "08000a0001000000" + "08001000ffffffff" + "08000f006cca0000");
    }

    /** Random bytes are hardly ever a message, but a message with some of them changed is. */
    @Test
    void a_damaged_message_is_decoded_or_malformed() {
        Random random = new Random(4711);
        List<String> messages = List.of(
                "02200000fe0000010000000008000f00fe00000008000e00ffffffff05001500430000000700"
                        + "03006c6f000008000600ec13000008001800bb01bb0106001d00ffff0000050016000600000008000100c6336407",
                "02180000fe0300010000000008000f00fe00000008000100cb0071002400090010000000"
                        + "0400000008000500c0000201100000000400000008000500c6336401",
                "0220800002000000080001000a400002080002000a40000208000300776730000800080080000000",
                "0000feff0200000091100000000000000800030077673000080004008c0500000c00140063756c7665727400");
        for (int round = 0; round < 5000; round++) {
            byte[] damaged = HexFormat.of().parseHex(messages.get(round % messages.size()));
            for (int i = 0; i < 3; i++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            any_message_is_decoded_or_ignored(Arrays.copyOf(damaged, damaged.length - random.nextInt(4)));
        }
    }

    @FuzzTest
    void any_message_is_decoded_or_ignored(byte[] payload) {
        for (int type :
                new int[] {RtNetlink.RTM_NEWLINK, RtNetlink.RTM_NEWADDR, RtNetlink.RTM_NEWROUTE, RtNetlink.RTM_NEWRULE
                }) {
            NetlinkMessage message = new NetlinkMessage(type, 0, payload);
            KernelLink.decode(message).ifPresent(KernelLink::restore);
            KernelAddress.decode(message).ifPresent(it -> it.deletion(NAMES));
            KernelRoute.decode(message).ifPresent(it -> it.deletion(NAMES));
            KernelLink.decodeState(message).ifPresent(_ -> KernelLink.alternativeNames(message));
            try {
                KernelRoute.decodeLookup(message);
            } catch (MalformedMessageException e) {
                assertThat(e).hasMessageStartingWith("unsupported message of the kernel: ");
            }
            KernelRule.decode(message).ifPresent(it -> {
                it.deletion();
                assertThat(it.lookup(Optional::of).text()).startsWith("ip -");
                it.rule()
                        .ifPresent(rule -> assertThat(KernelRule.decode(KernelRule.message(rule))
                                        .orElseThrow()
                                        .rule())
                                .contains(rule));
            });
        }
    }
}
