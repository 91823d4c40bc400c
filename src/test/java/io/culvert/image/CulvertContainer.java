package io.culvert.image;

import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Device;
import com.github.dockerjava.api.model.HostConfig;
import io.culvert.lab.Outcome;
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
 * Culvert's image, as the README's examples run it: {@code NET_ADMIN}, {@code /dev/net/tun} and forwarding. It counts
 * as started as soon as it runs; what it says can be waited for.
 */
public final class CulvertContainer extends GenericContainer<CulvertContainer> {

    /** The image under test: what {@code make image} makes, or what the variable {@code CULVERT_IMAGE} names. */
    public static final String IMAGE =
            Optional.ofNullable(System.getenv("CULVERT_IMAGE")).orElse("localhost/culvert:latest");

    /** The line that says that all of it works. */
    public static final String READY = "ready: ";

    /** The line that says that nothing leaves any more. */
    public static final String GUARDED = "kill switch: active";

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final WaitingConsumer said = new WaitingConsumer();

    /** @param settings its environment */
    public CulvertContainer(Map<String, String> settings) {
        this(IMAGE, settings);
    }

    /** @param image another flavour of it */
    public CulvertContainer(String image, Map<String, String> settings) {
        super(DockerImageName.parse(image));
        withImagePullPolicy(_ -> false);
        waitingFor(new NothingMore());
        withEnv(settings);
        withLogConsumer(said);
        host(host -> host.withCapAdd(Capability.NET_ADMIN)
                .withDevices(new Device("rwm", "/dev/net/tun", "/dev/net/tun"))
                .withSysctls(Map.of("net.ipv4.ip_forward", "1", "net.ipv6.conf.all.forwarding", "1")));
    }

    /** Changes how it is run. */
    public CulvertContainer host(Consumer<HostConfig> change) {
        withCreateContainerCmdModifier(command -> change.accept(command.getHostConfig()));
        return this;
    }

    /** As careful people run it: one capability, no new privileges, nothing to be written but in memory. */
    public CulvertContainer hardened() {
        return host(host -> host.withCapDrop(Capability.ALL)
                .withSecurityOpts(List.of("no-new-privileges"))
                .withReadonlyRootfs(true)
                .withTmpFs(Map.of("/run", "", "/tmp", "")));
    }

    /** As this user, who is in no group of the image. */
    public CulvertContainer user(int id) {
        withCreateContainerCmdModifier(command -> command.withUser(String.valueOf(id)));
        return this;
    }

    /** The provider's file. */
    public CulvertContainer wireGuardFile(String text) {
        // Readable for whoever runs in there: it is a sample's key.
        return withCopyToContainer(Transferable.of(text, 0644), "/etc/wireguard/wg0.conf");
    }

    /** Waits until it has said this. */
    public CulvertContainer awaitLine(String part) {
        try {
            said.waitUntil(frame -> frame.getUtf8String().contains(part), (int) PATIENCE.toSeconds(), TimeUnit.SECONDS);
            return this;
        } catch (TimeoutException e) {
            throw new AssertionError("it did not say '%s' in %s. It said:%n%s".formatted(part, PATIENCE, getLogs()));
        }
    }

    /** Runs {@code culvert} once more in it, or any other program of the image. */
    public Outcome run(String... command) {
        List<String> all = new ArrayList<>(List.of("exec", getContainerId()));
        all.addAll(List.of(command));
        return Podman.attempt(all.toArray(String[]::new));
    }

    /** Sends a signal such as {@code TERM}; the exit status with which it ends. */
    public int end(String signal) {
        Podman.run("kill", "--signal", signal, getContainerId());
        return Integer.parseInt(Podman.run("wait", getContainerId()).strip());
    }

    /** Testcontainers would look for listening ports, with a shell inside. */
    private static final class NothingMore extends AbstractWaitStrategy {

        @Override
        protected void waitUntilReady() {}
    }
}
