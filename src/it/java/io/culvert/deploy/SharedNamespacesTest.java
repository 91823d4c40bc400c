// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.image.CulvertContainer;
import io.culvert.lab.CommandResult;
import io.culvert.lab.DeployTest;
import io.culvert.lab.LabOptions;
import io.culvert.lab.Probe;
import io.culvert.net.Family;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The image under an init, in the network namespace of another container, which continues to exist when it stops.
 */
@DeployTest
class SharedNamespacesTest {

    /** Forwards SIGTERM and exits with its child's status, like tini and catatonit. */
    private static final String INIT = """
            culvert up & child=$!
            trap 'kill -TERM $child' TERM
            wait $child; status=$?
            [ $status -le 128 ] || { wait $child; status=$?; }
            exit $status
            """;

    private static final String BUSYBOX = "/usr/bin/busybox";

    private final ContainerLab fixture = ContainerLab.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeWorld() {
        fixture.close();
    }

    private String[] underInit(String... options) {
        List<String> all = new ArrayList<>(List.of(
                "run",
                "--network",
                "container:pod",
                "--volume",
                BUSYBOX + ":/busybox:ro",
                "--entrypoint",
                "/busybox",
                "--cap-add",
                "NET_ADMIN",
                "--device",
                "/dev/net/tun",
                "--env",
                "CULVERT_MESH=none",
                "--volume",
                fixture.providerFile() + ":/etc/wireguard/wg0.conf:ro"));
        all.addAll(Arrays.asList(options));
        all.addAll(List.of(CulvertContainer.IMAGE, "sh", "-c", INIT));
        return all.toArray(String[]::new);
    }

    @Test
    void under_an_init_the_kill_switch_stays_active_after_a_refused_start_and_after_a_stop() {
        Probe otherContainer = Probe.from(fixture.otherContainer("pod"));
        fixture.verifyObserverDetectsLeaks(otherContainer);

        CommandResult refused = fixture.engine.attempt(underInit("--rm", "--env", "CULVERT_SOCKS_PORT=99999"));

        assertThat(refused.status()).as(refused.err()).isEqualTo(2);
        fixture.observer.reset();
        assertNothingReachable(otherContainer);
        fixture.engine.run(underInit("--detach", "--name", "culvert"));
        fixture.engine.awaitLine("culvert", "^ready", ContainerLab.TIMEOUT);
        fixture.assertUsesProvider(otherContainer, Family.IPV4);
        fixture.engine.run("stop", "culvert");
        assertThat(fixture.engine.log("culvert"))
                .contains(
                        "kill switch: stays active because this is a container (the file /usr/lib/culvert/container exists)");
        assertNothingReachable(otherContainer);
    }

    private void assertNothingReachable(Probe otherContainer) {
        for (Family family : Family.values()) {
            assertThat(otherContainer.whoami(family)).isEmpty();
            assertThat(otherContainer.echo(family)).isEmpty();
        }
        assertThat(fixture.observer.leaks()).isEmpty();
    }
}
