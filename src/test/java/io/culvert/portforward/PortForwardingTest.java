// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.Log;
import io.culvert.net.Prefix;
import io.culvert.portforward.PortForwarding.Target;
import io.culvert.settings.ForwardedPortSource.Requested;
import io.culvert.timing.Threads;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PortForwardingTest {

    private static final Optional<Target> TARGET = Optional.of(target("a.conf"));

    private final SimulatedGateway gateway = new SimulatedGateway();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final StringWriter log = new StringWriter();
    private Instant now = Instant.EPOCH;

    /** Exchanges are done at once; their results wait until the owner takes them. */
    private final PortForwarding forwarding = new PortForwarding(
            _ -> gateway,
            new Threads() {
                @Override
                public Thread start(String name, Runnable work) {
                    work.run();
                    return Thread.currentThread();
                }
            },
            tasks::add,
            new Random(3),
            log(log));

    private static Target target(String server) {
        return new Target(Requested.AUTO, Prefix.parseAddress("10.2.0.1"), Prefix.parseAddress("10.2.0.2"), server);
    }

    private Instant update(Optional<Target> target, boolean connected) {
        forwarding.update(target, connected, now);
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
        return forwarding.update(target, connected, now);
    }

    @Test
    void a_port_is_renewed_after_half_of_its_lifetime() {
        assertThat(update(TARGET, false)).isEqualTo(Instant.MAX);
        assertThat(forwarding.port()).isEmpty();

        assertThat(update(TARGET, true)).isEqualTo(now.plusSeconds(30));
        assertThat(forwarding.port()).hasValue(40_000);
        int requests = gateway.requests.size();
        now = now.plusSeconds(29);
        update(TARGET, true);
        assertThat(gateway.requests).hasSize(requests);
        now = now.plusSeconds(1);
        assertThat(update(TARGET, true)).isEqualTo(now.plusSeconds(30));
        assertThat(gateway.requests).hasSize(requests + 2);
    }

    @Test
    void a_thousand_changes_are_all_noticed() {
        update(TARGET, true);
        for (int i = 0; i < 1000; i++) {
            gateway.port = 20_000 + i;
            now = update(TARGET, true);
            update(TARGET, true);
            assertThat(forwarding.port()).hasValue(20_000 + i);
        }
    }

    @Test
    void a_port_that_cannot_be_renewed_ends_with_its_lifetime() {
        update(TARGET, true);
        gateway.silent = true;
        for (now = now.plusSeconds(30); now.isBefore(Instant.EPOCH.plusSeconds(60)); now = now.plusSeconds(1)) {
            update(TARGET, true);
            assertThat(forwarding.port()).hasValue(40_000);
        }
        update(TARGET, true);
        assertThat(forwarding.port()).isEmpty();
        assertThat(forwarding.description()).contains("does not respond");

        gateway.silent = false;
        gateway.port = 40_001;
        now = now.plusSeconds(30);
        update(TARGET, true);
        assertThat(forwarding.port()).hasValue(40_001);
    }

    @Test
    void another_server_has_another_port_and_a_late_response_of_the_previous_one_is_ignored() {
        forwarding.update(TARGET, true, now);
        forwarding.update(Optional.of(target("b.conf")), false, now);
        tasks.remove().run();
        assertThat(forwarding.port()).isEmpty();

        gateway.port = 50_000;
        update(Optional.of(target("b.conf")), true);
        assertThat(forwarding.port()).hasValue(50_000);
        update(Optional.empty(), true);
        assertThat(forwarding.port()).isEmpty();
    }

    @Test
    void a_new_session_requests_the_port_at_once_and_a_reset_of_the_gateway_is_logged() {
        update(TARGET, true);
        gateway.epoch = 0;
        gateway.port = 40_002;
        now = now.plusSeconds(1);
        forwarding.renew();
        update(TARGET, true);
        assertThat(forwarding.port()).hasValue(40_002);
        assertThat(log.toString()).contains("the gateway has lost its table");
    }

    @Test
    void a_port_that_is_given_back_is_not_mapped_any_more() {
        update(TARGET, true);
        forwarding.release();
        assertThat(forwarding.port()).isEmpty();
        assertThat(gateway.mapped).isEmpty();
    }

    @Test
    void the_file_has_the_port_for_all_users_and_is_removed_without_one(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("port");
        PortFile.write(file, OptionalInt.of(40_000));
        assertThat(file).hasContent("40000\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-r--r--");
        PortFile.write(file, OptionalInt.empty());
        assertThat(directory).isEmptyDirectory();
    }

    private static Log log(StringWriter to) {
        return new Log(new PrintWriter(to, true));
    }
}
