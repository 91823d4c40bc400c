// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A WireGuard interface that the lab sets up with {@code wg}, independent of the program under test: the kernel's if it has
 * WireGuard, else wireguard-go's.
 */
public final class WireGuardInterface implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private final LabNamespace namespace;
    private final String name;
    private final @Nullable RunningProgram program;

    private WireGuardInterface(LabNamespace namespace, String name, @Nullable RunningProgram program) {
        this.namespace = namespace;
        this.name = name;
        this.program = program;
    }

    /** @param configuration in the format of {@code wg setconf} */
    public static WireGuardInterface up(LabNamespace namespace, String name, String configuration) {
        boolean kernel = namespace
                        .attempt("ip", "link", "add", name, "type", "wireguard")
                        .status()
                == 0;
        RunningProgram program = kernel ? null : namespace.start(userspace(name));
        if (program != null) {
            program.awaitLine("UAPI listener started", TIMEOUT);
        }
        WireGuardInterface wireGuard = new WireGuardInterface(namespace, name, program);
        CommandResult.of(namespace.inside(List.of("wg", "setconf", name, "/dev/stdin")), configuration)
                .outputOrFail();
        return wireGuard;
    }

    /** Waits until it forwards packets: wireguard-go notices {@code ip link set ... up} with a delay. */
    public void awaitUp() {
        if (program != null) {
            program.awaitLine("Interface state was .*, now Up", TIMEOUT);
        }
    }

    private static String[] userspace(String name) {
        Path built = Path.of(".cache/bin/wireguard-go").toAbsolutePath();
        String program = Files.isExecutable(built) ? built.toString() : "wireguard-go";
        return new String[] {"env", "LOG_LEVEL=verbose", "GOMEMLIMIT=64MiB", program, "--foreground", name};
    }

    /** Returns a new private key, as text. */
    public static String privateKey() {
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        return Base64.getEncoder().encodeToString(key);
    }

    public static String publicKey(String privateKey) {
        return CommandResult.of(List.of("wg", "pubkey"), privateKey)
                .outputOrFail()
                .strip();
    }

    @Override
    public void close() {
        if (program == null) {
            namespace.run("ip", "link", "delete", name);
            return;
        }
        // The link is deleted with the program, but its socket is not when it is killed.
        program.close();
        try {
            Files.deleteIfExists(Path.of("/run/wireguard", name + ".sock"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
