// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.RunningProgram;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a service manager such as systemd is told. */
@NamespaceTest
class ServiceManagerTest {

    private static final String SOCKET = "@service-manager";

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    /** Starts a program that prints each message. */
    private RunningProgram receiver() {
        RunningProgram receiver = fixture.namespace().start("python3", "-u", "-c", """
                import socket
                messages = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                messages.bind('\\0%s')
                print('listening')
                while True:
                    print(messages.recv(4096).decode())
                """.formatted(SOCKET.substring(1)));
        receiver.awaitLine("listening", ExitNodeFixture.TIMEOUT);
        return receiver;
    }

    private RunningProgram start(Map<String, String> variables) {
        Map<String, String> settings = new HashMap<>(ExitNodeFixture.withoutMesh(Map.of()));
        settings.put("NOTIFY_SOCKET", SOCKET);
        settings.putAll(variables);
        return fixture.start(settings);
    }

    @Test
    void it_is_told_when_the_exit_node_is_ready_reloads_and_stops() {
        RunningProgram receiver = receiver();
        RunningProgram culvert = start(Map.of());
        receiver.awaitLine("READY=1", ExitNodeFixture.TIMEOUT);
        receiver.awaitLine("STATUS=connected to 203.0.113.10:51820", ExitNodeFixture.TIMEOUT);
        receiver.ignoreEarlierOutput();

        culvert.signal("HUP");
        receiver.awaitLine("RELOADING=1", ExitNodeFixture.TIMEOUT);
        receiver.awaitLine("MONOTONIC_USEC=\\d+", ExitNodeFixture.TIMEOUT);
        receiver.awaitLine("READY=1", ExitNodeFixture.TIMEOUT);

        fixture.run(Map.of(), "pause");
        receiver.awaitLine("STATUS=paused", ExitNodeFixture.TIMEOUT);
        culvert.signal("TERM");
        receiver.awaitLine("STOPPING=1", ExitNodeFixture.TIMEOUT);
    }

    @Test
    void a_watchdog_hears_from_it_also_while_there_is_no_connection() {
        RunningProgram receiver = receiver();
        fixture.configureEndpoint("203.0.113.99:51820");
        start(Map.of("WATCHDOG_USEC", "1000000"));
        receiver.awaitLine("STATUS=no connection to", ExitNodeFixture.TIMEOUT);
        for (int i = 0; i < 5; i++) {
            receiver.ignoreEarlierOutput();
            receiver.awaitLine("WATCHDOG=1", ExitNodeFixture.TIMEOUT);
        }
    }

    @Test
    void the_exit_node_works_without_anybody_who_listens() {
        start(Map.of("WATCHDOG_USEC", "1000000")).awaitLine("ready:", ExitNodeFixture.TIMEOUT);
    }
}
