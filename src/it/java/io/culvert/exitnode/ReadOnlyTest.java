// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A read-only container, as with {@code read_only: true}. */
@NamespaceTest
class ReadOnlyTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    @Test
    void a_read_only_container_with_writable_run_works() {
        fixture.in(Sandbox.CONTAINER.withReadOnly("/tmp", "/var/lib", "/etc/resolv.conf", "/etc/hosts", "/"));
        fixture.verifyObserverDetectsLeaks(Family.values());

        RunningProgram culvert = fixture.connect(fixture.settings(Map.of("CULVERT_SOCKS", "true")));

        culvert.awaitLine("/etc/resolv.conf: cannot be updated .* Read-only file system", ExitNodeFixture.TIMEOUT);
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        assertThat(fixture.node.resolve(Lab.ROUTER_IPV4, "server.example", Family.IPV4))
                .containsExactly(Lab.SERVER_IPV4);
        fixture.assertLocalTrafficUsesTunnel(Family.values());

        culvert.signal("TERM");
        assertThat(culvert.awaitExit(ExitNodeFixture.TIMEOUT)).isZero();
        fixture.assertLocalTrafficBlocked(Family.values());
    }

    @Test
    void a_fully_read_only_container_is_refused_with_the_reason_and_stays_blocked() {
        fixture.in(Sandbox.CONTAINER.withReadOnly("/run", "/tmp", "/var/lib", "/etc/resolv.conf", "/etc/hosts", "/"));
        fixture.verifyObserverDetectsLeaks(Family.values());

        CommandResult refused =
                fixture.run(ExitNodeFixture.withoutMesh(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")), "up");

        assertThat(refused.status()).as(refused.err()).isEqualTo(3);
        assertThat(refused.err()).contains("/run/wireguard: ", "`--tmpfs /run`", "kill switch: stays active");
        fixture.assertLocalTrafficBlocked(Family.values());
    }
}
