package io.culvert.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;

/** A network namespace of a test's own, gone when closed. */
public final class TestNamespace implements AutoCloseable {

    private final String name = "culvert-" + UUID.randomUUID().toString().substring(0, 8);

    public TestNamespace() {
        command("ip", "netns", "add", name);
        run("ip", "link", "set", "lo", "up");
        // Else neighbours of a new link cannot be asked for by IPv6 before a second or two have passed.
        run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad");
    }

    public String name() {
        return name;
    }

    /** Joins two namespaces by a pair of links that are up. */
    public void connect(String link, TestNamespace other, String otherLink) {
        command("ip", "link", "add", link, "netns", name, "type", "veth", "peer", otherLink, "netns", other.name);
        run("ip", "link", "set", link, "up");
        other.run("ip", "link", "set", otherLink, "up");
    }

    /** Adds an address that may be used at once. */
    public void address(String link, String prefix) {
        if (prefix.contains(":")) {
            run("ip", "address", "add", prefix, "dev", link, "nodad");
        } else {
            run("ip", "address", "add", prefix, "dev", link);
        }
    }

    /** Runs a program inside, which must succeed; its output is the answer. */
    public String run(String... command) {
        List<String> inside = new ArrayList<>(List.of("ip", "netns", "exec", name));
        inside.addAll(List.of(command));
        return command(inside.toArray(String[]::new));
    }

    /** Runs a program inside with this input. */
    public String feed(String input, String... command) {
        List<String> inside = new ArrayList<>(List.of("ip", "netns", "exec", name));
        inside.addAll(List.of(command));
        return command(input, inside);
    }

    /** A test's step. */
    public interface Step {
        void run() throws Exception;
    }

    /** Runs on a thread of its own inside; sockets opened there stay there. */
    public <T> T inside(Callable<T> work) {
        try {
            return NetworkNamespace.named(name).call(work);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** The same, where there is nothing to bring back. */
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
