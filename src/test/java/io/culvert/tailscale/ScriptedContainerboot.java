// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.diagnostics.Log;
import io.culvert.diagnostics.Problem;
import io.culvert.process.ChildEvent;
import io.culvert.process.Children;
import io.culvert.process.Redactor;
import io.culvert.process.Supervisor;
import io.culvert.settings.SettingsReader;
import io.culvert.settings.TailscaleSettings;
import io.culvert.timing.Threads;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A mesh whose containerboot is a script, in a directory of its own. The test's thread is the event thread: it handles
 * events whenever it waits.
 */
final class ScriptedContainerboot implements AutoCloseable {

    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final List<ChildEvent> events = new ArrayList<>();
    private final List<Problem> reported = new ArrayList<>();
    private final StringWriter log = new StringWriter();
    private final Supervisor supervisor;
    private final TailscaleMesh mesh;

    /** @param script a script for /bin/sh that runs as containerboot */
    ScriptedContainerboot(Path root, Map<String, String> variables, String script) throws IOException {
        Path programs = Files.createDirectories(root.resolve("bin"));
        for (String program : List.of("containerboot", "tailscaled", "tailscale")) {
            Files.writeString(programs.resolve(program), "#!/bin/sh\n" + script);
            Files.setPosixFilePermissions(programs.resolve(program), PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Map<String, String> all = new HashMap<>(variables);
        all.put("TS_SOCKET", socket(root).toString());
        TailscaleSettings settings = settings(root, all);
        supervisor = new Supervisor(
                new Children(),
                Supervisor.RESTARTS,
                Threads.SYSTEM,
                new Redactor(settings.secrets()),
                event -> tasks.add(() -> handleEvent(event)));
        mesh = new TailscaleMesh(
                new TailscaleProgram(settings, List.of(programs), root),
                supervisor,
                tasks::add,
                reported::add,
                new Log(new PrintWriter(log)));
    }

    static Path socket(Path root) {
        return root.resolve("ts.sock");
    }

    static TailscaleSettings settings(Path root, Map<String, String> variables) {
        try {
            Files.createDirectories(root.resolve("etc/wireguard"));
            Files.writeString(root.resolve("etc/wireguard/wg0.conf"), "[Interface]\n");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return new SettingsReader(variables, root)
                .read()
                .orThrow()
                .mesh()
                .tailscale()
                .orElseThrow();
    }

    TailscaleMesh mesh() {
        return mesh;
    }

    List<String> log() {
        return log.toString().lines().toList();
    }

    List<Problem> reported() {
        return reported;
    }

    /** Returns its output so far. */
    List<String> lines() {
        return events.stream()
                .filter(ChildEvent.OutputLine.class::isInstance)
                .map(event -> ((ChildEvent.OutputLine) event).line())
                .toList();
    }

    long starts() {
        return events.stream().filter(ChildEvent.Started.class::isInstance).count();
    }

    /** Handles events until a condition is true. */
    void awaitCondition(BooleanSupplier condition) throws InterruptedException {
        Instant deadline = Instant.now().plus(DEADLINE);
        while (!condition.getAsBoolean()) {
            Runnable task = tasks.poll(Duration.between(Instant.now(), deadline).toMillis(), TimeUnit.MILLISECONDS);
            if (task == null) {
                throw new AssertionError("did not come about; " + mesh.describe() + "; " + events + "; " + reported);
            }
            task.run();
        }
    }

    private void handleEvent(ChildEvent event) {
        events.add(event);
        mesh.handle(event);
    }

    @Override
    public void close() {
        mesh.detach();
        supervisor.stopAll();
    }
}
