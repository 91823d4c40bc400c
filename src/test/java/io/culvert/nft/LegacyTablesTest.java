// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LegacyTablesTest {

    @Test
    void a_kernel_without_such_tables_has_none(@TempDir Path proc) {
        assertThat(LegacyTables.read(proc)).isEqualTo(new LegacyTables(List.of(), List.of()));
    }

    @Test
    void tables_are_named_with_their_family(@TempDir Path proc) throws Exception {
        Path net = Files.createDirectories(proc.resolve("thread-self/net"));
        Files.writeString(net.resolve("ip_tables_names"), "nat\nfilter\n");
        Files.writeString(net.resolve("ip6_tables_names"), "filter\n");
        assertThat(LegacyTables.read(proc))
                .isEqualTo(new LegacyTables(List.of("ip nat", "ip filter", "ip6 filter"), List.of()));
    }

    @Test
    void a_family_whose_tables_cannot_be_read_is_not_one_without_tables(@TempDir Path proc) throws Exception {
        Path net = Files.createDirectories(proc.resolve("thread-self/net"));
        Files.writeString(net.resolve("ip_tables_names"), "");
        Files.createDirectory(net.resolve("ip6_tables_names"));
        assertThat(LegacyTables.read(proc)).isEqualTo(new LegacyTables(List.of(), List.of(Family.IPV6)));
    }
}
