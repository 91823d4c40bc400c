// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.TextFile;
import io.culvert.net.Bypass;
import io.culvert.net.DisjointPrefixes;
import io.culvert.net.Family;
import io.culvert.net.Marks;
import io.culvert.net.Prefix;
import io.culvert.nft.NamedSet;
import io.culvert.nft.NftText;
import io.culvert.nft.Table;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class KillSwitchRulesetTest {

    @ParameterizedTest
    @MethodSource("examples")
    void matches_the_expected_file(String name) {
        List<Table> tables = Objects.requireNonNull(KillSwitchExamples.all().get(name));

        TextFile.assertContent(Path.of("src/test/resources/killswitch/" + name + ".nft"), NftText.of(tables));
    }

    static Stream<String> examples() {
        return KillSwitchExamples.all().keySet().stream();
    }

    @Test
    void equal_inputs_give_equal_rulesets() {
        assertThat(KillSwitchRuleset.of(KillSwitchExamples.tailscale()))
                .isEqualTo(KillSwitchRuleset.of(KillSwitchExamples.tailscale()));
    }

    @Test
    void bypasses_are_set_elements() {
        List<Bypass> many = IntStream.range(0, 10_000)
                .mapToObj(i -> new Bypass(
                        Prefix.parse("198.18." + i / 200 + "." + i % 200), Optional.empty(), OptionalInt.of(443)))
                .toList();

        List<NamedSet> sets = new Bypasses(many).sets();

        assertThat(sets).extracting(NamedSet::name).containsExactly("bypass_port4", "bypass_port6");
        assertThat(sets.getFirst().elements()).as("TCP and UDP each").hasSize(20_000);
        assertThat(sets.getLast().elements()).isEmpty();
    }

    @Test
    void prefixes_within_another_prefix_are_left_out() {
        List<Prefix> prefixes = Stream.of(
                        "10.1.0.0/16",
                        "10.0.0.0/8",
                        "10.1.2.3",
                        "11.0.0.0/8",
                        "192.0.2.1/24",
                        "192.0.2.0/24",
                        "9.9.9.9")
                .map(Prefix::parse)
                .toList();

        assertThat(DisjointPrefixes.of(prefixes))
                .extracting(Prefix::toString)
                .containsExactly("9.9.9.9/32", "10.0.0.0/8", "11.0.0.0/8", "192.0.2.0/24");
    }

    @Test
    void a_bypass_for_all_addresses_is_rejected() {
        for (Family family : Family.values()) {
            Prefix fixture = Prefix.all(family);
            assertThatThrownBy(() -> new Bypass(fixture, Optional.empty(), OptionalInt.empty()))
                    .hasMessageContaining(fixture.toString());
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, 0x1_0000_0000L, 0xca6c, 0x80000, 0x51000400L})
    void a_mark_used_by_other_programs_is_rejected(long mark) {
        assertThatThrownBy(() -> Marks.withTunnel(mark)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_custom_mark_differs_from_the_dns_stubs() {
        assertThat(Marks.withTunnel(0x52000000L)).isEqualTo(new Marks(0x52000000L, 0x51000000L));
        assertThat(Marks.withTunnel(7)).isEqualTo(new Marks(7, 0x52000000L));
    }
}
