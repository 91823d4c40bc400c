// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.ContinuousProbe;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import io.culvert.net.Family;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Faults at random, singly and in pairs, on one exit node under traffic: after each round traffic flows again, and at the
 * end nothing has leaked or is left over.
 */
@NamespaceTest
class FaultRoundsTest {

    private static final int ROUNDS = Integer.getInteger("culvert.faults", 12);
    private static final long SEED = Long.getLong("culvert.faults.seed", System.nanoTime());

    private static final String UPLINK = "eth0";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);
    private final Random random = new Random(SEED);
    private RunningProgram culvert;
    private ContinuousProbe four;
    private ContinuousProbe six;

    /** What fails. Without both layers of the kill switch at once, leaks are possible. */
    private enum Fault {
        WIREGUARD_KILLED,
        INTERFACE_DELETED,
        INTERFACE_DOWN,
        INTERFACE_WITHOUT_ADDRESSES,
        INTERFACE_WITH_ANOTHER_MTU,
        ROUTES_FLUSHED,
        RULES_DELETED,
        RULESET_FLUSHED,
        RESOLV_CONF_OVERWRITTEN,
        UPLINK_DOWN_AND_UP,
        RELOAD,
        PROGRAM_SUSPENDED,
        SERVER_BLOCKED,
        SERVER_RESTARTED;

        boolean isPossibleWith(Fault other) {
            return !List.of(this, other).containsAll(List.of(RULES_DELETED, RULESET_FLUSHED));
        }
    }

    @BeforeEach
    void start() {
        fixture.verifyObserverDetectsLeaks(Family.values());
        culvert = fixture.connect(ExitNodeFixture.withoutMesh(Map.of("CULVERT_LEAK_TEST", "off")));
        four = ContinuousProbe.of(fixture.namespace(), Family.IPV4);
        six = ContinuousProbe.of(fixture.namespace(), Family.IPV6);
    }

    @AfterEach
    void stop() {
        four.close();
        six.close();
        fixture.close();
    }

    @Test
    @Timeout(7200)
    void random_faults_leak_nothing_and_traffic_flows_after_each() throws IOException {
        // One of each kind first, so that what is loaded once is loaded.
        for (Fault fault : Fault.values()) {
            round(fault, fault);
        }
        String rules = rules();
        ProcessUsage first = ProcessUsage.of(culvert);

        for (int number = 0; number < ROUNDS; number++) {
            round(anyFault(), anyFault());
        }

        ProcessUsage last = ProcessUsage.of(culvert);
        System.out.println(ROUNDS + " rounds of faults, seed " + SEED + ": " + first + ", then " + last);
        assertThat(rules()).as("seed " + SEED).isEqualTo(rules);
        last.assertNotGrownSince(first);
        assertThat(four.seenAddresses()).containsOnly(fixture.provider(Family.IPV4));
        assertThat(six.seenAddresses()).containsOnly(fixture.provider(Family.IPV6));
        assertThat(fixture.observer.leaks()).as("seed " + SEED).isEmpty();
    }

    private Fault anyFault() {
        return Fault.values()[random.nextInt(Fault.values().length)];
    }

    /** The second fault happens during the first one; if they are the same or impossible together, it does not. */
    private void round(Fault first, Fault second) {
        boolean both = first != second && first.isPossibleWith(second);
        String name = "seed " + SEED + ": " + first + (both ? " and " + second : "");
        System.out.println(name);
        cause(first, () -> {
            if (both) {
                cause(second, () -> {});
            }
        });
        try {
            four.awaitReply(fixture.provider(Family.IPV4), ExitNodeFixture.TIMEOUT);
            six.awaitReply(fixture.provider(Family.IPV6), ExitNodeFixture.TIMEOUT);
        } catch (AssertionError e) {
            throw new AssertionError(name + "\n" + culvert.output(), e);
        }
        assertThat(culvert.isAlive()).as(name).isTrue();
    }

    private void cause(Fault fault, Runnable during) {
        switch (fault) {
            case WIREGUARD_KILLED -> during(this::killWireGuard, during);
            case INTERFACE_DELETED -> during(() -> attempt("ip link delete wg0"), during);
            case INTERFACE_DOWN -> during(() -> attempt("ip link set wg0 down"), during);
            case INTERFACE_WITHOUT_ADDRESSES -> during(() -> attempt("ip address flush dev wg0"), during);
            case INTERFACE_WITH_ANOTHER_MTU -> during(() -> attempt("ip link set wg0 mtu 1290"), during);
            case ROUTES_FLUSHED ->
                during(() -> attempt("ip -4 route flush table 51820; ip -6 route flush table 51820"), during);
            case RULES_DELETED -> during(this::deleteRules, during);
            case RULESET_FLUSHED -> during(() -> attempt("nft flush ruleset"), during);
            case RESOLV_CONF_OVERWRITTEN ->
                during(() -> fixture.lab.node().resolvConf("nameserver " + Lab.RESOLVER_IPV4 + "\n"), during);
            case UPLINK_DOWN_AND_UP -> {
                attempt("ip link set " + UPLINK + " down");
                during.run();
                fixture.namespace()
                        .ip(
                                "link set " + UPLINK + " up",
                                "route replace default via " + Lab.ROUTER_IPV4 + " dev " + UPLINK,
                                "address replace " + Lab.NODE_IPV6 + "/64 dev " + UPLINK + " nodad",
                                "route replace default via " + Lab.ROUTER_IPV6 + " dev " + UPLINK);
            }
            case RELOAD -> during(() -> culvert.signal("HUP"), during);
            case PROGRAM_SUSPENDED -> {
                culvert.signal("STOP");
                try {
                    during.run();
                } finally {
                    culvert.signal("CONT");
                }
            }
            case SERVER_BLOCKED -> {
                fixture.lab.provider().blockTraffic();
                during.run();
                fixture.lab.provider().unblockTraffic();
            }
            case SERVER_RESTARTED -> {
                fixture.lab.provider().stop();
                during.run();
                fixture.lab.provider().start();
            }
        }
    }

    private static void during(Runnable fault, Runnable during) {
        fault.run();
        during.run();
    }

    /** What is missing already cannot be removed once more. */
    private void attempt(String command) {
        fixture.namespace().attempt("sh", "-c", command);
    }

    /** It has ended already if its interface was deleted. */
    private void killWireGuard() {
        ProcessHandle.of(culvert.programPid()).stream()
                .flatMap(ProcessHandle::descendants)
                .filter(FaultRoundsTest::isWireGuard)
                .forEach(ProcessHandle::destroyForcibly);
    }

    private static boolean isWireGuard(ProcessHandle process) {
        String command = process.info().command().orElse("");
        return command.endsWith("wireguard-go");
    }

    private void deleteRules() {
        attempt("for family in -4 -6; do ip $family rule | sed -n 's/^\\(5[0-9]*\\):.*/\\1/p' |"
                + " while read preference; do ip $family rule delete preference $preference; done; done");
    }

    private String rules() {
        return fixture.namespace().run("ip", "-4", "rule") + fixture.namespace().run("ip", "-6", "rule");
    }
}
