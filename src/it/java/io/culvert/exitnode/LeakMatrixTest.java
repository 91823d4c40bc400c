// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.LeakMatrix;
import io.culvert.lab.LeakState;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import io.culvert.lab.Sandbox;
import io.culvert.net.Family;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Packets of every origin, family and protocol in every state of the life cycle: none leaves outside the tunnel. In each state all
 * of them are sent at once. Two states without a kill switch are the positive control: there the observer sees the packets of every
 * cell.
 */
@NamespaceTest
class LeakMatrixTest {

    private static final String MESH_RESTORED = "network: ip -4 address add 10.77.0.1";

    private final LeakMatrix matrix = new LeakMatrix(LeakMatrix.ORIGINS);

    @Test
    void no_packet_leaves_outside_the_tunnel_in_any_state() {
        System.out.print(LeakMatrix.header(LeakMatrix.ORIGINS));
        containerStates();
        machineStates();
        System.out.printf("%d cells%n", matrix.size());
        matrix.publish("matrix");
    }

    private LeakMatrixRun run(LabOptions options) {
        ExitNodeFixture fixture = ExitNodeFixture.of(options);
        LeakMatrixRun.allowProxy(fixture.observer);
        Map<String, String> settings = fixture.settings(
                Map.of("CULVERT_SOCKS", "true", "CULVERT_HTTP_PROXY", "true", "CULVERT_SOCKS_ALLOW", "192.0.2.0/26"));
        return new LeakMatrixRun(fixture, () -> fixture.start(settings), matrix);
    }

    private void containerStates() {
        LeakMatrixRun run = run(LabOptions.DEFAULTS.providers(2));
        try (ExitNodeFixture fixture = run.fixture;
                run) {
            run.control();
            run.beforeSettings();
            run.refused();
            fixture.lab.provider().stop();
            run.start().awaitLine("waiting for", ExitNodeFixture.TIMEOUT);
            fixture.lab.client().useExitNode();
            run.measure(LeakState.WITHOUT_TUNNEL);
            fixture.lab.provider().start();
            run.connected(LeakState.CONNECTED, Family.values());
            run.frozenStates();
            run.frozen(LeakState.MESH_LINK_GONE, MESH_RESTORED, () -> run.ip("link delete mesh0"));
            run.change(LeakState.TUNNEL_PROGRAM_KILLED, () -> run.kill(LeakMatrixRun.CONNECTED, "wireguard-go", "wg0"));
            run.change(LeakState.MESH_PROGRAM_KILLED, () -> {
                run.kill(MESH_RESTORED, "wireguard-go", "mesh0");
                reconnectClient(run);
            });
            run.change(LeakState.PROXY_KILLED, run::killProxy);
            run.changesOfTheNetwork();
            run.interrupt(LeakState.CULVERT_KILLED, () -> run.culvert().kill());
            run.change(LeakState.RESTARTED, () -> startAndConnectClient(run));
            run.interrupt(LeakState.STOPPING, run::stop);
            run.measure(LeakState.STOPPED);
            otherProviders(run);
        }
        assertThat(run.failures()).isEmpty();
    }

    private static void otherProviders(LeakMatrixRun run) {
        Lab lab = run.fixture.lab;
        Provider provider = lab.provider(1);
        lab.node().wireGuardFile("provider.conf", provider.file());
        run.change(LeakState.CONFIGURATION_REPLACED, () -> startAndConnectClient(run));
        run.stop();
        lab.node()
                .wireGuardFile(
                        "provider.conf",
                        provider.file(provider.publicIpv4() + ":" + Provider.PORT, "0.0.0.0/0")
                                .replaceAll(", fd00:\\S+", ""));
        startAndConnectClient(run);
        run.connected(LeakState.PROVIDER_WITHOUT_IPV6, Family.IPV4);
    }

    private static void startAndConnectClient(LeakMatrixRun run) {
        run.startAndAwaitReady();
        reconnectClient(run);
    }

    /** A client notices only after 15 seconds that its session is gone (WireGuard paper, section 6.5). */
    private static void reconnectClient(LeakMatrixRun run) {
        run.fixture.lab.client().leaveExitNode();
        run.fixture.lab.client().useExitNode();
    }

    private void machineStates() {
        LeakMatrixRun run = run(LabOptions.DEFAULTS);
        try (ExitNodeFixture fixture = run.fixture.in(Sandbox.MACHINE);
                run) {
            run.startAndAwaitReady();
            fixture.lab.client().useExitNode();
            run.connected(LeakState.MACHINE_CONNECTED, Family.values());
            run.interrupt(LeakState.MACHINE_KILLED, () -> run.culvert().kill());
        }
        assertThat(run.failures()).isEmpty();
    }
}
