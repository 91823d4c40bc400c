// SPDX-License-Identifier: Apache-2.0
package io.culvert.image;

import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Device;
import com.github.dockerjava.api.model.HostConfig;
import io.culvert.lab.CommandResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.output.WaitingConsumer;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;

/**
 * A container of Culvert's image, with the options of the README's examples: {@code NET_ADMIN}, {@code /dev/net/tun}
 * and forwarding. {@link #start} returns as soon as it runs; tests then wait for log lines.
 */
public final class CulvertContainer extends GenericContainer<CulvertContainer> {

    /** The image under test: built by {@code make image}, or named by the variable {@code CULVERT_IMAGE}. */
    public static final String IMAGE =
            Optional.ofNullable(System.getenv("CULVERT_IMAGE")).orElse("localhost/culvert:latest");

    /** The line logged when everything works. */
    public static final String READY = "ready: ";

    /** The line logged when the kill switch is active. */
    public static final String KILL_SWITCH_ACTIVE = "kill switch: active";

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final WaitingConsumer log = new WaitingConsumer();

    /** @param settings its environment */
    public CulvertContainer(Map<String, String> settings) {
        this(IMAGE, settings);
    }

    /** @param image the name of another flavour */
    public CulvertContainer(String image, Map<String, String> settings) {
        super(DockerImageName.parse(image));
        withImagePullPolicy(_ -> false);
        waitingFor(new NoWait());
        withEnv(settings);
        withLogConsumer(log);
        host(host -> host.withCapAdd(Capability.NET_ADMIN)
                .withDevices(new Device("rwm", "/dev/net/tun", "/dev/net/tun"))
                .withSysctls(Map.of("net.ipv4.ip_forward", "1", "net.ipv6.conf.all.forwarding", "1")));
    }

    /** Changes the host configuration, such as capabilities and mounts. */
    public CulvertContainer host(Consumer<HostConfig> change) {
        withCreateContainerCmdModifier(command -> change.accept(command.getHostConfig()));
        return this;
    }

    /** Runs it with one capability, no new privileges, and a read-only file system with tmpfs mounts. */
    public CulvertContainer hardened() {
        return host(host -> host.withCapDrop(Capability.ALL)
                .withSecurityOpts(List.of("no-new-privileges"))
                .withReadonlyRootfs(true)
                .withTmpFs(Map.of("/run", "", "/tmp", "")));
    }

    /** Runs it as this user, which is in no group of the image. */
    public CulvertContainer user(int id) {
        withCreateContainerCmdModifier(command -> command.withUser(String.valueOf(id)));
        return this;
    }

    /** Adds the provider's file. */
    public CulvertContainer wireGuardFile(String text) {
        // World-readable: its key is an example.
        return withCopyToContainer(Transferable.of(text, 0644), "/etc/wireguard/wg0.conf");
    }

    /** Waits until a log line contains this text. */
    public CulvertContainer awaitLine(String part) {
        try {
            log.waitUntil(frame -> frame.getUtf8String().contains(part), (int) TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            return this;
        } catch (TimeoutException e) {
            throw new AssertionError(
                    "the container did not log '%s' within %s. Log:%n%s".formatted(part, TIMEOUT, getLogs()));
        }
    }

    /** Runs a program of the image in it. */
    public CommandResult run(String... command) {
        List<String> all = new ArrayList<>(List.of("exec", getContainerId()));
        all.addAll(List.of(command));
        return Podman.attempt(all.toArray(String[]::new));
    }

    /** Sends a signal such as {@code TERM}, waits, and returns the exit status. */
    public int stopBySignal(String signal) {
        Podman.run("kill", "--signal", signal, getContainerId());
        return Integer.parseInt(Podman.run("wait", getContainerId()).strip());
    }

    /** Testcontainers would check for listening ports, with a shell in the container. */
    private static final class NoWait extends AbstractWaitStrategy {

        @Override
        protected void waitUntilReady() {}
    }
}
