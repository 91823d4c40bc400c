// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import io.culvert.diagnostics.Log;
import io.culvert.net.Prefix;
import io.culvert.settings.ForwardedPortSource.Requested;
import io.culvert.timing.BackOff;
import io.culvert.timing.Threads;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * Keeps a port that a gateway forwards: requests it, renews it after half of its lifetime, and requests it again after a change of
 * the server. All methods are called by one thread; the exchanges with the gateway are done by others.
 */
public final class PortForwarding {

    private static final BackOff RETRY = new BackOff(Duration.ofSeconds(1), Duration.ofSeconds(30));
    private static final Duration MIN_RENEWAL = Duration.ofSeconds(1);

    /**
     * What forwards the port.
     *
     * @param gateway of the provider, in the tunnel
     * @param client this node's address in the tunnel
     * @param server the provider's server: another one has other ports
     */
    public record Target(Requested source, InetAddress gateway, InetAddress client, String server) {}

    /** Opens a channel to a target's gateway. */
    public interface Opener {
        GatewayChannel open(InetAddress gateway) throws IOException;
    }

    private final Opener opener;
    private final Threads threads;
    private final Consumer<Runnable> owner;
    private final RandomGenerator random;
    private final Log log;
    private Optional<Target> target = Optional.empty();
    private Optional<PortMapping> mapping = Optional.empty();
    private byte[] nonce = new byte[Pcp.NONCE];
    private Instant mapped = Instant.MIN;
    private Instant due = Instant.MIN;
    private String failure = "";
    private int failures;

    /** Counts up whatever makes the result of an exchange obsolete. */
    private int generation;

    private boolean running;

    /**
     * @param owner runs tasks on the thread that calls the methods
     * @param random unpredictable, as a PCP response is recognized by it
     */
    public PortForwarding(Opener opener, Threads threads, Consumer<Runnable> owner, RandomGenerator random, Log log) {
        this.opener = opener;
        this.threads = threads;
        this.owner = owner;
        this.random = random;
        this.log = log;
    }

    /** Returns the forwarded port; empty if there is none. */
    public OptionalInt port() {
        return mapping.map(it -> OptionalInt.of(it.port())).orElse(OptionalInt.empty());
    }

    /** Returns by what the port is forwarded, or why there is none. */
    public String description() {
        return mapping.map(it -> it.protocol() + ", "
                        + target.map(to -> Prefix.text(to.gateway())).orElse(""))
                .orElse(failure.isEmpty() ? "requested" : failure);
    }

    /**
     * Requests or renews what is due.
     *
     * @param wanted empty if no port is to be forwarded
     * @param connected whether the gateway can be reached
     * @return when to call this again at the latest
     */
    public Instant update(Optional<Target> wanted, boolean connected, Instant now) {
        if (!wanted.equals(target)) {
            drop();
            target = wanted;
            failure = "";
            failures = 0;
            due = now;
        }
        if (mapping.isPresent() && !now.isBefore(expiry())) {
            drop();
        }
        if (target.isEmpty() || !connected) {
            return mapping.map(_ -> expiry()).orElse(Instant.MAX);
        }
        if (!running && !now.isBefore(due)) {
            start(target.get(), now);
        }
        Instant next = running ? Instant.MAX : due;
        return mapping.isPresent() && expiry().isBefore(next) ? expiry() : next;
    }

    /** Renews the port at the next update, because the session with the server is a new one. */
    public void renew() {
        due = Instant.MIN;
    }

    /** Gives the port back, before the tunnel is disconnected; waits for a second at most. */
    public void release() {
        Optional<PortMapping> held = mapping;
        Optional<Target> from = target;
        drop();
        target = Optional.empty();
        if (held.isPresent() && from.isPresent()) {
            try (GatewayChannel channel = opener.open(from.get().gateway())) {
                mapper(from.get(), channel, nonce).release(held.get());
            } catch (IOException | RuntimeException _) {
                // It ends with its lifetime.
            }
        }
    }

    private Instant expiry() {
        return mapping.map(it -> mapped.plus(it.lifetime())).orElse(Instant.MAX);
    }

    private void drop() {
        mapping.ifPresent(it -> log.info("port forwarding: port " + it.port() + " is no longer forwarded"));
        mapping = Optional.empty();
        generation++;
        running = false;
    }

    private void start(Target to, Instant now) {
        running = true;
        if (mapping.isEmpty()) {
            byte[] fresh = new byte[Pcp.NONCE];
            random.nextBytes(fresh);
            nonce = fresh;
        }
        int started = generation;
        Optional<PortMapping> held = mapping;
        byte[] secret = nonce;
        threads.start("port-forwarding", () -> {
            Result result = exchange(to, held, secret);
            owner.accept(() -> {
                if (started == generation) {
                    running = false;
                    finish(result, now);
                }
            });
        });
    }

    /** A mapping, or why there is none. */
    private record Result(Optional<PortMapping> mapping, String failure) {}

    private Result exchange(Target to, Optional<PortMapping> held, byte[] secret) {
        try (GatewayChannel channel = opener.open(to.gateway())) {
            PortMapper mapper = mapper(to, channel, secret);
            return new Result(Optional.of(held.isPresent() ? mapper.renew(held.get()) : mapper.map(to.source())), "");
        } catch (IOException | RuntimeException e) {
            return new Result(Optional.empty(), String.valueOf(e.getMessage()));
        }
    }

    private PortMapper mapper(Target to, GatewayChannel channel, byte[] secret) {
        return new PortMapper(channel, new Pcp(to.client(), secret), random);
    }

    /** @param started when the exchange began: the lifetime counts from then at the earliest */
    private void finish(Result result, Instant started) {
        if (result.mapping().isEmpty()) {
            failed(result.failure(), started);
            return;
        }
        PortMapping granted = result.mapping().get();
        mapping.filter(previous -> granted.isAfterReset(previous, Duration.between(mapped, started)))
                .ifPresent(_ ->
                        log.info("port forwarding: the gateway has lost its table, and has mapped the port again"));
        if (!port().equals(OptionalInt.of(granted.port()))) {
            log.info("port forwarding: port " + granted.port() + " is forwarded to this node (" + granted.protocol()
                    + ")");
        }
        mapping = result.mapping();
        mapped = started;
        failure = "";
        failures = 0;
        Duration half = granted.lifetime().dividedBy(2);
        due = started.plus(half.compareTo(MIN_RENEWAL) < 0 ? MIN_RENEWAL : half);
    }

    private void failed(String reason, Instant started) {
        if (!reason.equals(failure)) {
            log.warn("port forwarding: no port (" + reason + "); retrying");
        }
        failure = reason;
        failures++;
        due = started.plus(RETRY.afterFailures(failures));
    }
}
