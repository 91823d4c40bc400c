package io.culvert.confinement;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Prefix;
import io.culvert.linux.InheritedSocket;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class OutsideTest {

    @Test
    void what_a_keeper_tells_itself_it_understands() {
        Outside outside = new Outside(
                Path.of("/run/user/1000/culvert/netns"),
                1380,
                List.of(
                        new Outside.Way(
                                0,
                                new InheritedSocket(5),
                                new InetSocketAddress(Prefix.parseAddress("203.0.113.10"), 51820)),
                        new Outside.Way(
                                2,
                                new InheritedSocket(6),
                                new InetSocketAddress(Prefix.parseAddress("2001:db8::1"), 1))));

        assertThat(Outside.parse(outside.toString())).isEqualTo(outside);
    }
}
