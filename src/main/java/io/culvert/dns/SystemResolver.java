// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.linux.HostLookup;
import io.culvert.net.Host;

/** The machine's own resolver, which reads /etc/hosts and /etc/resolv.conf. It reports no TTL. */
public final class SystemResolver {

    private SystemResolver() {}

    /** Resolves a name; may take as long as the resolver's timeouts. */
    public static ResolutionResult resolve(Host.Name name) {
        return result(HostLookup.of(name.name()));
    }

    /** Returns the result of a lookup, without problems. */
    public static ResolutionResult result(HostLookup.Result lookup) {
        return lookup instanceof HostLookup.Result.Found(var addresses)
                ? ResolutionResult.withoutTtl(addresses)
                : ResolutionResult.NO_RESPONSE;
    }
}
