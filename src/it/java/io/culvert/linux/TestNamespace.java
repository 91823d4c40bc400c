// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;

/** A network namespace for a test, removed when closed. */
public final class TestNamespace implements AutoCloseable {

    private final String name = "culvert-" + UUID.randomUUID().toString().substring(0, 8);

    public TestNamespace() {
        command("ip", "netns", "add", name);
        run("ip", "link", "set", "lo", "up");
        // Otherwise IPv6 neighbour discovery on a new link fails for a second or two.
        run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad");
    }

    public String name() {
        return name;
    }

    /** Connects two namespaces by a veth pair, which is up. */
    public void connect(String link, TestNamespace other, String otherLink) {
        command("ip", "link", "add", link, "netns", name, "type", "veth", "peer", otherLink, "netns", other.name);
        run("ip", "link", "set", link, "up");
        other.run("ip", "link", "set", otherLink, "up");
    }

    /** Adds an address that can be used at once. */
    public void address(String link, String prefix) {
        if (prefix.contains(":")) {
            run("ip", "address", "add", prefix, "dev", link, "nodad");
        } else {
            run("ip", "address", "add", prefix, "dev", link);
        }
    }

    /** Runs a program inside, which must succeed, and returns its output. */
    public String run(String... command) {
        List<String> inside = new ArrayList<>(List.of("ip", "netns", "exec", name));
        inside.addAll(List.of(command));
        return command(inside.toArray(String[]::new));
    }

    /** Runs a program inside with this input. */
    public String runWithInput(String input, String... command) {
        List<String> inside = new ArrayList<>(List.of("ip", "netns", "exec", name));
        inside.addAll(List.of(command));
        return command(input, inside);
    }

    /** A step of a test. */
    public interface Step {
        void run() throws Exception;
    }

    /** Runs a step inside on a thread of its own; sockets opened there belong to the namespace. */
    public <T> T inside(Callable<T> work) {
        try {
            return NetworkNamespace.named(name).call(work);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Runs a step without a result. */
    public void step(Step step) {
        inside(() -> {
            step.run();
            return true;
        });
    }

    @Override
    public void close() {
        command("ip", "netns", "delete", name);
    }

    private static String command(String... command) {
        return command("", List.of(command));
    }

    private static String command(String input, List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            try (var stdin = process.getOutputStream()) {
                stdin.write(input.getBytes(StandardCharsets.UTF_8));
            }
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", command) + ": " + output);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
