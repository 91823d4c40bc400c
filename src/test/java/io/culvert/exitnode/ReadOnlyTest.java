package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Outcome;
import io.culvert.lab.Shape;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A container in which little can be written, as {@code read_only: true} makes it. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ReadOnlyTest {

    private final World world = World.of(Shape.USUAL);

    @AfterEach
    void closeLab() {
        world.close();
    }

    @Test
    void all_works_where_only_run_can_be_written() {
        world.in(Box.CONTAINER.withReadOnly("/tmp", "/var/lib", "/etc/resolv.conf", "/etc/hosts", "/"));
        world.observerIsNotBlind(Family.values());

        Child culvert = world.connect(world.settings(Map.of("CULVERT_SOCKS", "true")));

        culvert.awaitLine("/etc/resolv.conf: .* cannot be updated .* Read-only file system", World.SOON);
        culvert.awaitLine("^ready", World.SOON);
        assertThat(world.node.resolve(Lab.ROUTER_4, "server.example", Family.IPV4))
                .containsExactly(Lab.SERVER_4);
        world.localTrafficGoesByTheProvider(Family.values());

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(World.SOON)).isZero();
        world.localTrafficIsClosed(Family.values());
    }

    @Test
    void where_nothing_can_be_written_it_says_what_has_to_be_and_stays_closed() {
        world.in(Box.CONTAINER.withReadOnly("/run", "/tmp", "/var/lib", "/etc/resolv.conf", "/etc/hosts", "/"));
        world.observerIsNotBlind(Family.values());

        Outcome refused = world.run(World.alone(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")), "up");

        assertThat(refused.status()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err()).contains("/run/wireguard: ", "`--tmpfs /run`", "kill switch: stays active");
        world.localTrafficIsClosed(Family.values());
    }
}
