// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.IdleMemory.AddressRange;
import org.junit.jupiter.api.Test;

class IdleMemoryTest {

    private static final String SMAPS = """
            00400000-00405000 r--p 00000000 fe:00 131 /usr/local/bin/culvert
            Rss:                  20 kB
            Anonymous:             0 kB
            00410000-00e21000 r-xp 00010000 fe:00 131 /usr/local/bin/culvert
            Rss:                8572 kB
            Anonymous:             0 kB
            00e40000-00e41000 r--p 00a40000 fe:00 131 /usr/local/bin/culvert
            Rss:                   4 kB
            Anonymous:             4 kB
            7fada6600000-7fada6cb2000 rw-p 010e0000 fe:00 131 /usr/local/bin/culvert
            Rss:                5796 kB
            Anonymous:             0 kB
            7fada7080000-7fada75c2000 rw-p 00000000 00:00 0
            Rss:                5384 kB
            Anonymous:             0 kB
            7fadaf000000-7fadaf100000 r-xp 00000000 fe:00 977 /lib/libc.so.6
            Rss:                 564 kB
            Anonymous:             0 kB
            """;

    @Test
    void only_what_the_file_still_has_is_released() {
        assertThat(IdleMemory.unmodified(SMAPS.lines().toList(), "/usr/local/bin/culvert"))
                .containsExactly(new AddressRange(0x400000, 0x405000), new AddressRange(0x410000, 0xe21000));
    }
}
