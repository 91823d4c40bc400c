// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Marks;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Rules as the kernel lists them; whether it does is tested by {@link NftablesTest}. */
class ForeignTablesTest {

    private static final String ACCEPTED_MARK =
            "foreign table 'ip other' sets a firewall mark that the kill switch accepts";

    @SafeVarargs
    private static List<String> find(List<Expression>... rulesOfTables) {
        ForeignTables tables = new ForeignTables(Marks.DEFAULT.exempt(true));
        for (int i = 0; i < rulesOfTables.length; i++) {
            tables.add(
                    i == 0 ? "ip other" : "ip more" + i,
                    List.of(new TableRule(0, "", rulesOfTables[i])),
                    map -> switch (map) {
                        case "accepted" -> Optional.of(List.of(word(7), word(0x51000000)));
                        case "others" -> Optional.of(List.of(word(7), word(0x2000)));
                        default -> Optional.empty();
                    });
        }
        return tables.describe();
    }

    static Stream<Arguments> accepted() {
        return Stream.of(
                Arguments.of("mark set 0x51000000", List.of(immediate(0x51000000), setMark())),
                Arguments.of(
                        "mark set mark | 0x51000000", List.of(mark(), bitwise(~0x51000000, 0x51000000), setMark())),
                Arguments.of("mark set mark ^ 0x80000", List.of(mark(), bitwise(-1, 0x80000), setMark())),
                Arguments.of("ct mark set 0x51000000", List.of(immediate(0x51000000), setConnectionMark())),
                Arguments.of(
                        "mark set mark & 0xff00ffff | 0x80000",
                        List.of(mark(), bitwise(0xff00ffff, 0x80000), setMark())),
                Arguments.of(
                        "in two steps", List.of(immediate(0x50000000), bitwise(~0x01000000, 0x01000000), setMark())),
                Arguments.of("from a map", List.of(lookup("accepted"), setMark())),
                Arguments.of("from a map that packets change", List.of(lookup("dynamic"), setMark())),
                Arguments.of(
                        "mark set meta random",
                        List.of(Expression.of("meta").with(1, 1).with(2, 24), setMark())),
                Arguments.of("MARK --set-xmark 0x80000/0xff0000", List.of(target("MARK", 2, 0x80000, 0xff0000))),
                Arguments.of("MARK --or-mark 0x80000", List.of(target("MARK", 2, 0x80000, 0x80000))),
                Arguments.of("CONNMARK --set-mark 0x51000000", List.of(target("CONNMARK", 1, 0x51000000, -1, -1, 0))),
                Arguments.of("TPROXY --tproxy-mark 0x51000000", List.of(target("TPROXY", 1, -1, 0x51000000))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("accepted")
    void a_rule_that_may_set_an_accepted_firewall_mark_is_reported(String name, List<Expression> rule) {
        assertThat(find(rule)).as(name).containsExactly(ACCEPTED_MARK);
    }

    static Stream<Arguments> others() {
        return Stream.of(
                // tailscale: util/linuxfw. The mark of forwarded packets, and the marks that Tailscale saves in
                // connections and restores from them.
                Arguments.of(
                        "Tailscale: mark set mark & 0xff00ffff | 0x40000",
                        List.of(mark(), bitwise(0xff00ffff, 0x40000), setMark())),
                Arguments.of(
                        "Tailscale: ct mark set mark & 0xff0000",
                        List.of(mark(), bitwise(0xff0000, 0), setConnectionMark())),
                Arguments.of(
                        "Tailscale: mark set ct mark & 0xff0000",
                        List.of(connectionMark(), bitwise(0xff0000, 0), setMark())),
                Arguments.of(
                        "Tailscale: CONNMARK --save-mark", List.of(target("CONNMARK", 1, 0, 0xff0000, 0xff0000, 1))),
                Arguments.of(
                        "Tailscale: CONNMARK --restore-mark", List.of(target("CONNMARK", 1, 0, 0xff0000, 0xff0000, 2))),
                Arguments.of("kube-proxy: mark | 0x4000", List.of(mark(), bitwise(~0x4000, 0x4000), setMark())),
                Arguments.of("kube-proxy: mark ^ 0x4000", List.of(mark(), bitwise(-1, 0x4000), setMark())),
                Arguments.of("kube-proxy: MARK --or-mark 0x4000", List.of(target("MARK", 2, 0x4000, 0x4000))),
                Arguments.of("kube-proxy: MARK --xor-mark 0x4000", List.of(target("MARK", 2, 0x4000, 0))),
                Arguments.of("Podman: mark | 0x2000", List.of(mark(), bitwise(~0x2000, 0x2000), setMark())),
                Arguments.of("Calico: MARK --or-mark 0x1000000", List.of(target("MARK", 2, 0x1000000, 0x1000000))),
                Arguments.of("cleared bits", List.of(mark(), bitwise(0xfff1ffff, 0), setMark())),
                Arguments.of("restored mark", List.of(connectionMark(), setMark())),
                Arguments.of("another mark", List.of(immediate(1), setMark())),
                Arguments.of(
                        "another key",
                        List.of(
                                immediate(0x51000000),
                                Expression.of("meta").with(2, 2).with(3, 1))),
                Arguments.of("from a map of other marks", List.of(lookup("others"), setMark())),
                Arguments.of(
                        "numgen mod 4 offset 1",
                        List.of(Expression.of("numgen").with(1, 1).with(2, 4).with(4, 1), setMark())),
                Arguments.of(
                        "accept", List.of(Expression.of("immediate").with(1, 0).withVerdict(2, 1, null))),
                Arguments.of("a match of the mark", List.of(mark(), compare(0x51000000))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("others")
    void other_marks_are_not_reported(String name, List<Expression> rule) {
        assertThat(find(rule)).as(name).isEmpty();
    }

    @Test
    void rules_that_set_an_accepted_firewall_mark_together_are_reported() {
        List<Expression> oneBit = List.of(mark(), bitwise(~0x01000000, 0x01000000), setMark());
        List<Expression> otherBits = List.of(immediate(0x50000000), setMark());

        assertThat(find(oneBit)).isEmpty();
        assertThat(find(otherBits)).isEmpty();
        assertThat(find(oneBit, otherBits)).containsExactly(ACCEPTED_MARK);
    }

    @Test
    void copies_shortcuts_and_missing_tracking_are_reported() {
        assertThat(find(List.of(Expression.of("dup"))))
                .containsExactly("foreign table 'ip other' duplicates packets (dup)");
        assertThat(find(List.of(Expression.of("fwd"))))
                .containsExactly("foreign table 'ip other' forwards packets to another interface (fwd)");
        assertThat(find(List.of(Expression.of("flow_offload"))))
                .containsExactly("foreign table 'ip other' forwards packets without evaluating rules (flow table)");
        assertThat(find(List.of(Expression.of("notrack"))))
                .containsExactly("foreign table 'ip other' disables connection tracking (notrack)");
        assertThat(find(List.of(target("TEE", 1))))
                .containsExactly("foreign table 'ip other' duplicates packets (TEE)");
        assertThat(find(List.of(target("CT", 2, 1))))
                .containsExactly("foreign table 'ip other' disables connection tracking (NOTRACK)");
        assertThat(find(List.of(target("CT", 2, 0)))).isEmpty();
    }

    private static Expression mark() {
        return Expression.of("meta").with(1, 1).with(2, 3);
    }

    private static Expression connectionMark() {
        return Expression.of("ct").with(1, 1).with(2, 3);
    }

    private static Expression setMark() {
        return Expression.of("meta").with(2, 3).with(3, 1);
    }

    private static Expression setConnectionMark() {
        return Expression.of("ct").with(2, 3).with(4, 1);
    }

    private static Expression immediate(int value) {
        return Expression.of("immediate").with(1, 1).withData(2, word(value));
    }

    private static Expression bitwise(int mask, int xor) {
        return Expression.of("bitwise")
                .with(1, 1)
                .with(2, 1)
                .with(3, 4)
                .withData(4, word(mask))
                .withData(5, word(xor));
    }

    private static Expression compare(int value) {
        return Expression.of("cmp").with(1, 1).with(2, 0).withData(3, word(value));
    }

    private static Expression lookup(String map) {
        return Expression.of("lookup").with(1, map).with(2, 1).with(3, 1);
    }

    private static Expression target(String name, int revision, int... info) {
        ByteBuffer bytes = ByteBuffer.allocate(info.length * Integer.BYTES).order(ByteOrder.nativeOrder());
        Arrays.stream(info).forEach(bytes::putInt);
        return Expression.of("target").with(1, name).with(2, revision).with(3, bytes.array());
    }

    private static byte[] word(int value) {
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.nativeOrder())
                .putInt(value)
                .array();
    }
}
