// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.diagnostics.ProblemException;
import io.culvert.dns.NameTracker;
import io.culvert.dns.ResolutionResult;
import io.culvert.dns.TrackingPolicy;
import io.culvert.linux.HostLookup;
import io.culvert.net.Host;
import io.culvert.plan.ResolvedNames;
import io.culvert.requirements.ResolverWait;
import io.culvert.requirements.TunnelFile;
import io.culvert.runtime.Environment;
import io.culvert.runtime.KernelConnections;
import io.culvert.wireguard.config.WireGuardConfig;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;

/** Tracks the addresses of a tunnel's servers, resolved by the machine's resolver outside the namespace. */
final class ServerAddresses implements AutoCloseable {

    private final Environment environment;
    private final WireGuardConfig config;
    private final NameTracker tracker;

    /** @param onChange receives changed addresses, on another thread */
    ServerAddresses(Environment environment, WireGuardConfig config, Consumer<ResolvedNames> onChange) {
        this.environment = environment;
        this.config = config;
        this.tracker = new NameTracker(this::resolveAgain, TrackingPolicy.ON_REQUEST, () -> onChange.accept(names()));
    }

    /**
     * Resolves the names of all servers, and waits for a resolver that does not respond yet.
     *
     * @throws ProblemException if one does not resolve
     * @throws CancellationException if the wait is stopped
     */
    ResolvedNames resolve(ResolverWait wait) {
        Map<Host.Name, HostLookup.Result> lookups = wait.lookUp(config.hostNames());
        try (KernelConnections kernel = KernelConnections.open(environment)) {
            Map<Host.Name, ResolutionResult> results = new HashMap<>();
            TunnelFile.resolvedNames(lookups, kernel.machine())
                    .addresses()
                    .forEach((name, addresses) -> results.put(name, ResolutionResult.withoutTtl(addresses)));
            tracker.track(results);
        }
        return names();
    }

    /** Resolves the names again, on another thread, as it may take long. */
    void checkNow() {
        tracker.checkNow();
    }

    @Override
    public void close() {
        tracker.close();
    }

    private ResolvedNames names() {
        return new ResolvedNames(tracker.addressesByName());
    }

    private ResolutionResult resolveAgain(Host.Name name) {
        try (KernelConnections kernel = KernelConnections.open(environment)) {
            ResolutionResult result = TunnelFile.resolved(name, HostLookup.of(name.name()), kernel.machine());
            environment.log().problems(result.problems());
            return result;
        } catch (ProblemException e) {
            environment.log().problems(e.problems());
            return ResolutionResult.NO_RESPONSE;
        }
    }
}
