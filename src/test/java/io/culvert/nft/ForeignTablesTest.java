// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ForeignTablesTest {

    private static final ForeignTables TABLES =
            new ForeignTables(mark -> mark == 0x51000000L || (mark & 0xff0000) == 0x80000);

    private static List<String> find(String statement) {
        return TABLES.find("ip other", """
                {"nftables": [{"metainfo": {"json_schema_version": 1}}, {"rule": {"family": "ip", "table": "other",
                 "chain": "c", "handle": 2, "expr": [{"counter": {"packets": 0, "bytes": 0}}, %s]}}]}
                """.formatted(statement));
    }

    /** Statements as {@code nft -j list table} prints them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"mangle\": {\"key\": {\"meta\": {\"key\": \"mark\"}}, \"value\": 1358954496}}",
                "{\"mangle\": {\"key\": {\"meta\": {\"key\": \"mark\"}}, \"value\": {\"|\": [{\"meta\": {\"key\": \"mark\"}},"
                        + " 1358954496]}}}",
                "{\"mangle\": {\"key\": {\"ct\": {\"key\": \"mark\"}}, \"value\": 1358954496}}",
                "{\"mangle\": {\"key\": {\"meta\": {\"key\": \"mark\"}}, \"value\": {\"map\": {\"key\": {\"payload\":"
                        + " {\"protocol\": \"udp\", \"field\": \"dport\"}}, \"data\": {\"set\": [[7, 1358954496]]}}}}}",
                "{\"mangle\": {\"key\": {\"meta\": {\"key\": \"mark\"}}, \"value\": {\"|\": [{\"&\": [{\"meta\": {\"key\":"
                        + " \"mark\"}}, 4278255615]}, 524288]}}}",
            })
    void a_rule_that_sets_an_accepted_firewall_mark_is_reported(String statement) {
        assertThat(find(statement))
                .containsExactly("foreign table 'ip other' sets a firewall mark that the kill switch accepts");
    }

    @Test
    void tailscales_own_marks_are_not_reported() {
        // util/linuxfw: the mark of forwarded packets, and the marks that Tailscale saves in connections and restores
        // from them.
        assertThat(find(
                        "{\"mangle\": {\"key\": {\"meta\": {\"key\": \"mark\"}}, \"value\": {\"|\": [{\"&\": [{\"meta\":"
                                + " {\"key\": \"mark\"}}, 4278255615]}, 262144]}}}"))
                .isEmpty();
        assertThat(find("{\"mangle\": {\"key\": {\"ct\": {\"key\": \"mark\"}}, \"value\": {\"&\": [{\"meta\": {\"key\":"
                        + " \"mark\"}}, 16711680]}}}"))
                .isEmpty();
        assertThat(find("{\"mangle\": {\"key\": {\"meta\": {\"key\": \"mark\"}}, \"value\": {\"&\": [{\"ct\": {\"key\":"
                        + " \"mark\"}}, 16711680]}}}"))
                .isEmpty();
    }

    @Test
    void other_marks_and_other_keys_are_not_reported() {
        assertThat(find("{\"mangle\": {\"key\": {\"meta\": {\"key\": \"priority\"}}, \"value\": 1358954496}}"))
                .isEmpty();
        assertThat(find("{\"mangle\": {\"key\": {\"meta\": {\"key\": \"mark\"}}, \"value\": 1}}"))
                .isEmpty();
        assertThat(find("{\"accept\": null}")).isEmpty();
    }
}
