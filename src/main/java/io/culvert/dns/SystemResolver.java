// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Host;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/** The machine's own resolver, which reads /etc/hosts and /etc/resolv.conf. It reports no TTL. */
public final class SystemResolver {

    private SystemResolver() {}

    /** Resolves a name; may take as long as the resolver's timeouts. */
    public static ResolutionResult resolve(Host.Name name) {
        try {
            return ResolutionResult.withoutTtl(List.of(InetAddress.getAllByName(name.name())));
        } catch (UnknownHostException _) {
            return ResolutionResult.NO_RESPONSE;
        }
    }
}
