// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Coverage.Extent;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CoverageTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    IPV4 | 0.0.0.0/0                      | FULL    | true
                    IPV4 | 0.0.0.0/1 128.0.0.0/1          | FULL    | true
                    IPV4 | 128.0.0.0/1 0.0.0.0/2 64.0.0.0/2 10.0.0.0/8 | FULL | true
                    IPV6 | ::/1 8000::/1                  | FULL    | true
                    IPV6 | 2000::/3                       | PARTIAL | true
                    IPV6 | 2000::/4                       | PARTIAL | false
                    IPV4 | 0.0.0.0/1                      | PARTIAL | false
                    IPV4 | 192.168.8.0/24                 | PARTIAL | false
                    IPV4 | ::/0                           | NONE    | false
                    IPV6 | 0.0.0.0/0                      | NONE    | false
                    """)
    void coverage_is_computed_from_the_union_of_the_prefixes(
            Family family, String prefixes, Extent extent, boolean fullTunnel) {
        Coverage coverage = Coverage.of(family, parse(prefixes));

        assertThat(coverage.extent()).isEqualTo(extent);
        assertThat(coverage.isFullTunnel()).isEqualTo(fullTunnel);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    0.0.0.0/0                                       | IPV4
                    0.0.0.0/1                                       | IPV4
                    128.0.0.0/1                                     | IPV4
                    0.0.0.0/2 64.0.0.0/2 128.0.0.0/2 192.0.0.0/2    | IPV4
                    0.0.0.0/2 64.0.0.0/2                            | IPV4
                    16.0.0.0/4 32.0.0.0/3 64.0.0.0/2 128.0.0.0/3    | IPV4
                    0.0.0.0/2                                       |
                    10.0.0.0/8 172.16.0.0/12 192.168.0.0/16         |
                    224.0.0.0/3 10.0.0.0/8 100.64.0.0/10            |
                    10.0.0.0/8 ::/1                                 | IPV6
                    2000::/3                                        | IPV6
                    2000::/4 3000::/4                               | IPV6
                    2000::/5 2800::/5 3000::/5                      | IPV6
                    2001:db8::/32 fc00::/7 fe80::/10                |
                    """)
    void half_of_the_public_addresses_counts_as_most_of_a_family_however_it_is_written(String prefixes, Family family) {
        assertThat(Coverage.mostlyCoveredFamily(parse(prefixes))).isEqualTo(Optional.ofNullable(family));
    }

    @Test
    void an_empty_list_covers_nothing() {
        assertThat(Coverage.of(Family.IPV4, List.of()).remainder()).containsExactly(Prefix.all(Family.IPV4));
        assertThat(Coverage.of(Family.IPV6, List.of()).extent()).isEqualTo(Extent.NONE);
    }

    @Test
    void all_prefixes_except_private_ranges_are_a_full_tunnel() {
        Coverage coverage = Coverage.of(
                Family.IPV4,
                parse("0.0.0.0/5 8.0.0.0/7 11.0.0.0/8 12.0.0.0/6 16.0.0.0/4"
                        + " 32.0.0.0/3 64.0.0.0/2 128.0.0.0/3 160.0.0.0/5 168.0.0.0/6 172.0.0.0/12 172.32.0.0/11"
                        + " 172.64.0.0/10 172.128.0.0/9 173.0.0.0/8 174.0.0.0/7 176.0.0.0/4 192.0.0.0/9 192.128.0.0/11"
                        + " 192.160.0.0/13 192.169.0.0/16 192.170.0.0/15 192.172.0.0/14 192.176.0.0/12 192.192.0.0/10"
                        + " 193.0.0.0/8 194.0.0.0/7 196.0.0.0/6 200.0.0.0/5 208.0.0.0/4"));

        assertThat(coverage.isFullTunnel()).isTrue();
        assertThat(coverage.extent()).isEqualTo(Extent.PARTIAL);
        assertThat(coverage.remainder()).hasToString("[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 224.0.0.0/3]");
    }

    @Test
    void all_prefixes_except_a_public_address_are_not_a_full_tunnel() {
        List<Prefix> allExceptOneAddress =
                Coverage.of(Family.IPV4, parse("8.8.8.8/32")).remainder();

        Coverage coverage = Coverage.of(Family.IPV4, allExceptOneAddress);

        assertThat(allExceptOneAddress).hasSize(32);
        assertThat(coverage.remainder()).hasToString("[8.8.8.8/32]");
        assertThat(coverage.isFullTunnel()).isFalse();
    }

    @Test
    void host_bits_do_not_matter() {
        assertThat(Coverage.of(Family.IPV4, parse("10.1.2.3/1 200.1.2.3/1")).extent())
                .isEqualTo(Extent.FULL);
    }

    @Test
    void the_remainder_of_the_remainder_covers_the_original_prefixes() {
        Random random = new Random(7);
        for (Family family : Family.values()) {
            List<Prefix> prefixes =
                    IntStream.range(0, 50).mapToObj(_ -> random(family, random)).toList();
            List<Prefix> remainder = Coverage.of(family, prefixes).remainder();
            List<Prefix> inverse = Coverage.of(family, remainder).remainder();

            assertThat(remainder).noneMatch(prefix -> prefixes.stream().anyMatch(prefix::overlaps));
            assertThat(prefixes).allMatch(prefix -> inverse.stream().anyMatch(other -> other.contains(prefix)));
            assertThat(Coverage.of(family, inverse).remainder()).isEqualTo(remainder);
            assertThat(Coverage.of(
                                    family,
                                    Stream.concat(remainder.stream(), inverse.stream())
                                            .toList())
                            .extent())
                    .isEqualTo(Extent.FULL);
        }
    }

    private static Prefix random(Family family, Random random) {
        byte[] bytes = new byte[family.bits() / 8];
        random.nextBytes(bytes);
        Prefix prefix = Prefix.all(family);
        int length = 5 + random.nextInt(family.bits() - 5);
        for (int bit = 0; bit < length; bit++) {
            prefix = prefix.halves().get((bytes[bit / 8] >> (bit % 8)) & 1);
        }
        return prefix;
    }

    private static List<Prefix> parse(String prefixes) {
        return Stream.of(prefixes.split(" ")).map(Prefix::parse).toList();
    }
}
