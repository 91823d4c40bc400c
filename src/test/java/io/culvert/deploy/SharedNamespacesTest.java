package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.image.CulvertContainer;
import io.culvert.ip.Family;
import io.culvert.lab.Outcome;
import io.culvert.lab.Probe;
import io.culvert.lab.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The image where it is not process 1, and where the network outlives it: below an init, in a network that others
 * share.
 */
@Tag("deploy")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class SharedNamespacesTest {

    /** Passes the signal on and ends as its child does, as tini and catatonit do; the image has no shell of its own. */
    private static final String INIT = """
            culvert up & child=$!
            trap 'kill -TERM $child' TERM
            wait $child; status=$?
            [ $status -le 128 ] || { wait $child; status=$?; }
            exit $status
            """;

    private static final String SHELL = "/usr/bin/busybox";

    private final ContainerWorld world = ContainerWorld.of(Shape.USUAL);

    @AfterEach
    void closeWorld() {
        world.close();
    }

    private String[] belowAnInit(String... options) {
        List<String> all = new ArrayList<>(List.of(
                "run",
                "--network",
                "container:pod",
                "--volume",
                SHELL + ":/busybox:ro",
                "--entrypoint",
                "/busybox",
                "--cap-add",
                "NET_ADMIN",
                "--device",
                "/dev/net/tun",
                "--env",
                "CULVERT_MESH=none",
                "--volume",
                world.providerFile() + ":/etc/wireguard/wg0.conf:ro"));
        all.addAll(Arrays.asList(options));
        all.addAll(List.of(CulvertContainer.IMAGE, "sh", "-c", INIT));
        return all.toArray(String[]::new);
    }

    @Test
    void below_an_init_it_stays_closed_after_a_refused_start_and_after_a_stop() {
        Probe sibling = Probe.from(world.sibling("pod"));
        world.observerIsNotBlind(sibling);

        Outcome refused = world.engine.attempt(belowAnInit("--rm", "--env", "CULVERT_SOCKS_PORT=99999"));

        assertThat(refused.status()).as(refused.err()).isEqualTo(2);
        world.observer.forget();
        nobodyIsReached(sibling);
        world.engine.run(belowAnInit("--detach", "--name", "culvert"));
        world.engine.awaitLine("culvert", "^ready", ContainerWorld.SOON);
        world.goesByTheProvider(sibling, Family.IPV4);
        world.engine.run("stop", "culvert");
        assertThat(world.engine.log("culvert"))
                .contains(
                        "kill switch: stays active because this is a container (the file /usr/lib/culvert/container exists)");
        nobodyIsReached(sibling);
    }

    private void nobodyIsReached(Probe sibling) {
        for (Family family : Family.values()) {
            assertThat(sibling.whoami(family)).isEmpty();
            assertThat(sibling.echo(family)).isEmpty();
        }
        assertThat(world.observer.leaks()).isEmpty();
    }
}
