// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.InheritedSocket;
import io.culvert.net.Prefix;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class OuterSocketsTest {

    @Test
    void the_text_form_is_parsed_back() {
        OuterSockets outside = new OuterSockets(
                Path.of("/run/user/1000/culvert/netns"),
                1380,
                List.of(
                        new OuterSockets.ServerSocket(
                                0,
                                new InheritedSocket(5),
                                new InetSocketAddress(Prefix.parseAddress("203.0.113.10"), 51820)),
                        new OuterSockets.ServerSocket(
                                2,
                                new InheritedSocket(6),
                                new InetSocketAddress(Prefix.parseAddress("2001:db8::1"), 1))));

        assertThat(OuterSockets.parse(outside.toString())).isEqualTo(outside);
    }
}
