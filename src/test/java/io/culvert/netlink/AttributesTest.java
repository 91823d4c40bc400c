// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AttributesTest {

    @Test
    void written_attributes_are_parsed_back() {
        byte[] bytes = AttributeWriter.after(new byte[] {9, 9, 9, 9})
                .u8(1, 200)
                .u16(2, 65_535)
                .u32(3, 0xffffffffL)
                .u64(4, Long.MAX_VALUE)
                .string(5, "wg0")
                .flag(6)
                .nested(7, inner -> inner.u32(1, 51_820))
                .toByteArray();
        Attributes attributes = Attributes.parse(bytes, 4);
        assertThat(attributes.number(1)).contains(200L);
        assertThat(attributes.number(2)).contains(65_535L);
        assertThat(attributes.number(3)).contains(0xffffffffL);
        assertThat(attributes.number(4)).contains(Long.MAX_VALUE);
        assertThat(attributes.string(5)).contains("wg0");
        assertThat(attributes.has(6)).isTrue();
        assertThat(attributes.nested(7).number(1)).contains(51_820L);
        assertThat(attributes.nested(8).all()).isEmpty();
        assertThat(attributes.has(8)).isFalse();
    }

    @Test
    void an_attribute_beyond_the_end_of_the_message_stops_the_parsing() {
        byte[] bytes = AttributeWriter.after(new byte[0]).u32(1, 7).u32(2, 8).toByteArray();
        bytes[8] = 100;
        assertThat(Attributes.parse(bytes, 0).all()).hasSize(1);
        bytes[8] = 3;
        assertThat(Attributes.parse(bytes, 0).all()).hasSize(1);
        assertThat(Attributes.parse(bytes, 100).all()).isEmpty();
    }

    @Test
    void the_last_one_of_repeated_attributes_is_returned() {
        byte[] bytes = AttributeWriter.after(new byte[0]).u32(1, 7).u32(1, 8).toByteArray();
        assertThat(Attributes.parse(bytes, 0).number(1)).contains(8L);
    }
}
