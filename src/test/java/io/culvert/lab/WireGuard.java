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
 * A WireGuard interface of somebody else than the program under test: the kernel's where there is one, else the userspace
 * program's. Set up by {@code wg}.
 */
public final class WireGuard implements AutoCloseable {

    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final Namespace space;
    private final String name;
    private final @Nullable Child program;

    private WireGuard(Namespace space, String name, @Nullable Child program) {
        this.space = space;
        this.name = name;
        this.program = program;
    }

    /** @param configuration as {@code wg setconf} reads it */
    public static WireGuard up(Namespace space, String name, String configuration) {
        boolean kernel =
                space.attempt("ip", "link", "add", name, "type", "wireguard").status() == 0;
        Child program = kernel ? null : space.start(userspace(name));
        if (program != null) {
            program.awaitLine("UAPI listener started", DEADLINE);
        }
        WireGuard wireGuard = new WireGuard(space, name, program);
        Outcome.of(space.inside(List.of("wg", "setconf", name, "/dev/stdin")), configuration)
                .orFail();
        return wireGuard;
    }

    /** Waits until it takes packets: the userspace program follows its link some time after {@code ip link set ... up}. */
    public void awaitUp() {
        if (program != null) {
            program.awaitLine("Interface state was .*, now Up", DEADLINE);
        }
    }

    private static String[] userspace(String name) {
        Path built = Path.of(".cache/bin/wireguard-go").toAbsolutePath();
        String program = Files.isExecutable(built) ? built.toString() : "wireguard-go";
        return new String[] {"env", "LOG_LEVEL=verbose", "GOMEMLIMIT=64MiB", program, "--foreground", name};
    }

    /** A new private key, as text. */
    public static String privateKey() {
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        return Base64.getEncoder().encodeToString(key);
    }

    public static String publicKey(String privateKey) {
        return Outcome.of(List.of("wg", "pubkey"), privateKey).orFail().strip();
    }

    @Override
    public void close() {
        if (program == null) {
            space.run("ip", "link", "delete", name);
            return;
        }
        // The link goes with the program, which when killed leaves its socket behind.
        program.close();
        try {
            Files.deleteIfExists(Path.of("/run/wireguard", name + ".sock"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
