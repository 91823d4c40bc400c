// SPDX-License-Identifier: Apache-2.0
package io.culvert.firewall;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.util.List;
import java.util.stream.Stream;

/**
 * The public resolvers that tailscaled queries over HTTPS if the tailnet is configured with one of them (tailscale:
 * net/dns/publicdns, populate). These queries carry Tailscale's mark and would bypass the tunnel. If HTTPS fails, tailscaled
 * queries over UDP, which is redirected into the tunnel. Whole networks are listed, because a provider usually runs further
 * resolvers in the same network.
 */
final class DohResolvers {

    static final int HTTPS = 443;

    private static final List<Prefix> NETWORKS = Stream.of(
                    // Cloudflare
                    "1.1.1.0/24",
                    "1.0.0.0/24",
                    "2606:4700:4700::/48",
                    // Google
                    "8.8.8.0/24",
                    "8.8.4.0/24",
                    "2001:4860:4860::/48",
                    // Quad9
                    "9.9.9.0/24",
                    "149.112.112.0/24",
                    "2620:fe::/48",
                    // Mullvad
                    "194.242.2.0/24",
                    "2a07:e340::/48",
                    // Wikimedia
                    "185.71.138.0/24",
                    "2001:67c:930::/48",
                    // Control D
                    "76.76.2.0/24",
                    "76.76.10.0/24",
                    "2606:1a40::/47",
                    // CIRA
                    "149.112.120.0/22",
                    "2620:10a:80b8::/45",
                    // NextDNS
                    "45.90.28.0/24",
                    "45.90.30.0/24",
                    "2a07:a8c0::/31")
            .map(Prefix::parse)
            .toList();

    private DohResolvers() {}

    static List<Prefix> of(Family family) {
        return NETWORKS.stream().filter(network -> network.family() == family).toList();
    }
}
