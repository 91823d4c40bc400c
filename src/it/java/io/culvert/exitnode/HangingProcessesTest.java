// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Probe;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A process of the exit node that hangs, without exiting, is replaced; nothing leaks meanwhile. */
@NamespaceTest
class HangingProcessesTest {

    /** Two failed checks, each with its timeout, after the interval between checks. */
    private static final Duration DETECTION = Duration.ofSeconds(60);

    private static final int PROXY = 1080;

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private final Probe lanHost = Probe.from(fixture.lab.lanHost());

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private RunningProgram start() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        fixture.observer.allowService(PROXY);
        Map<String, String> settings = ExitNodeFixture.withoutMesh(Map.of());
        settings.put("CULVERT_SOCKS", "true");
        settings.put("CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        settings.put("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace");
        RunningProgram culvert = fixture.connect(settings);
        culvert.awaitLine("^ready", ExitNodeFixture.TIMEOUT);
        return culvert;
    }

    /** Suspends a process, which then neither responds nor exits. */
    private static void suspend(ProcessHandle process) {
        CommandResult.of(List.of("kill", "-STOP", Long.toString(process.pid()))).outputOrFail();
    }

    /** Dante's processes are children of the one that accepts connections. */
    private static ProcessHandle mainProcess(ProcessHandle process) {
        ProcessHandle main = process;
        for (Optional<ProcessHandle> parent = main.parent();
                parent.flatMap(it -> it.info().command())
                        .filter(command -> command.endsWith("danted"))
                        .isPresent();
                parent = main.parent()) {
            main = parent.get();
        }
        return main;
    }

    @Test
    void a_proxy_that_hangs_is_replaced_and_reported() {
        RunningProgram culvert = start();
        ProcessHandle proxy = mainProcess(culvert.descendant("danted"));
        suspend(proxy);

        culvert.awaitLine("dante: does not respond .no response to a SOCKS handshake", DETECTION);
        culvert.awaitLine("dante: responds again", DETECTION);

        assertThat(proxy.isAlive()).isFalse();
        assertThat(lanHost.whoamiBySocks(Lab.NODE_IPV4, PROXY, Family.IPV4)).contains(fixture.provider(Family.IPV4));
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }

    @Test
    void a_userspace_WireGuard_that_hangs_is_replaced_and_nothing_leaks_meanwhile() {
        RunningProgram culvert = start();
        ProcessHandle program = culvert.descendant("wireguard-go", "wg0");
        culvert.ignoreEarlierOutput();
        suspend(program);

        // Nothing is sent until it is replaced, which may be soon.
        fixture.assertLocalTrafficUsesTunnelOrNothing(Family.values());
        culvert.awaitLine("tunnel: connected to", DETECTION);

        assertThat(program.isAlive()).isFalse();
        assertThat(fixture.status().killSwitch())
                .containsEntry("nftables", true)
                .containsEntry("routing", true);
        fixture.assertLocalTrafficUsesTunnel(Family.values());
    }
}
