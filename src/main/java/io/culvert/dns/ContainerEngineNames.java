// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.time.Duration;
import java.util.Optional;
import org.xbill.DNS.Message;

/**
 * Resolves names by the container engine's resolver. Docker's forwards names that it does not know from inside the
 * container (moby: daemon/libnetwork/resolver.go, forwardExtDNS), where such a query is redirected to Culvert's stub:
 * its own query comes back. It is answered by the tunnel's servers, and never sent to the container engine again.
 */
final class ContainerEngineNames implements QueryHandler {

    /** The container engine responds from memory; what takes longer is being forwarded, perhaps to this stub. */
    private static final Duration TIMEOUT = Duration.ofMillis(300);

    private final Forwarder containerEngine;
    private final CoalescingResolver coalesced;
    private final Resolver fallback;

    ContainerEngineNames(Forwarder containerEngine, Resolver fallback) {
        this.containerEngine = containerEngine;
        this.coalesced = new CoalescingResolver(containerEngine::query, TIMEOUT);
        this.fallback = fallback;
    }

    @Override
    public Message resolve(DnsQuery query, int id) throws NoResponseException {
        // Docker forwards the message unchanged, with its id. With a new id, the query is recognized as one in
        // flight.
        if (containerEngine.isPending(query, id)) {
            return fallback.resolve(query);
        }
        DnsQuery plainQuery = DnsQuery.plain(query.name(), query.type());
        Optional<Message> response = coalesced.join(plainQuery);
        return response.isPresent() ? response.get() : fallback.resolve(query);
    }
}
