package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.exitnode.Reading.Server;
import io.culvert.wireguard.WireGuardConfig;
import io.culvert.wireguard.WireGuardFile;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class FailoverTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final StringWriter told = new StringWriter();

    private Failover of(String... files) {
        return new Failover(
                List.of(files).stream().map(FailoverTest::server).toList(),
                PATIENCE,
                new Journal(new PrintWriter(told)),
                START);
    }

    private static Server server(String name) {
        Path file = Path.of(name);
        WireGuardConfig config = WireGuardFile.parse(file, """
                        [Interface]
                        PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
                        Address = 10.64.0.2/32
                        [Peer]
                        PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
                        AllowedIPs = 0.0.0.0/0
                        Endpoint = 192.0.2.10:51820
                        """).config().orElseThrow();
        return new Server(file, config);
    }

    @Test
    void a_server_has_its_time_to_answer_and_then_the_next_has_it() {
        Failover servers = of("a.conf", "b.conf");
        WireGuardConfig first = servers.config();
        Instant late = START.plus(PATIENCE).plusMillis(1);

        assertThat(servers.isDue(START.plus(PATIENCE))).isFalse();
        assertThat(servers.isDue(late)).isTrue();
        assertThat(servers.next(late)).isTrue();
        assertThat(servers.config()).isNotSameAs(first);
        assertThat(servers.isDue(late.plus(PATIENCE))).isFalse();
        assertThat(told.toString()).contains("no answer; trying b.conf");
        assertThat(servers.next(late)).isTrue();
        assertThat(servers.config()).isSameAs(first);
    }

    @Test
    void the_only_server_is_waited_for_again() {
        Failover servers = of("a.conf");

        assertThat(servers.next(START.plus(PATIENCE))).isFalse();
        assertThat(servers.isDue(START.plus(PATIENCE))).isFalse();
        assertThat(told.toString()).isEmpty();
    }
}
