package io.culvert.lab;

import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Device;
import com.github.dockerjava.api.model.HostConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;

/**
 * The image that was built, run as its users run it: NET_ADMIN, the tun device, forwarding, and nothing else of what a
 * container could have more than others.
 */
public final class CulvertContainer extends GenericContainer<CulvertContainer> {

    /** What {@code make image} makes. */
    public static final String IMAGE = System.getProperty("culvert.image", "localhost/culvert:latest");

    private final List<Consumer<HostConfig>> host = new ArrayList<>();
    private final List<Bind> binds = new ArrayList<>();

    private static final class NoWait extends AbstractWaitStrategy {

        @Override
        protected void waitUntilReady() {
            // The engine waits: Engine.awaitLine.
        }
    }

    /** Not started yet. */
    public CulvertContainer(Map<String, String> settings) {
        super(IMAGE);
        withImagePullPolicy(_ -> false);
        withEnv(settings);
        // Testcontainers would go on waiting for a line of a container that has ended.
        waitingFor(new NoWait());
        host(config -> config.withCapAdd(Capability.NET_ADMIN)
                .withDevices(new Device("rwm", "/dev/net/tun", "/dev/net/tun"))
                .withSysctls(Map.of("net.ipv4.ip_forward", "1", "net.ipv6.conf.all.forwarding", "1")));
        withCreateContainerCmdModifier(command -> {
            HostConfig config = Objects.requireNonNull(command.getHostConfig());
            config.withBinds(binds);
            host.forEach(change -> change.accept(config));
        });
    }

    /** Changes what the engine gives to the container. */
    public CulvertContainer host(Consumer<HostConfig> change) {
        host.add(change);
        return this;
    }

    /** Mounts a file, or a volume by its name, as {@code source:target} or {@code source:target:ro}. */
    public CulvertContainer mount(String mount) {
        binds.add(Bind.parse(mount));
        return this;
    }

    /** Mounts the provider's file where it is found by itself. */
    public CulvertContainer provider(Path file) {
        return mount(file + ":/etc/wireguard/wg0.conf:ro");
    }
}
