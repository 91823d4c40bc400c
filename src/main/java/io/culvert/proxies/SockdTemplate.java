// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.net.Prefix;
import io.culvert.net.SpecialRange;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Renders Dante's configuration from the template {@code sockd/sockd.conf}. */
final class SockdTemplate {

    /**
     * This machine by all its addresses, and link-local ones; 0.0.0.0 and mapped addresses lead to this machine too.
     */
    private static final List<Prefix> BLOCKED_DESTINATIONS = SpecialRange.prefixes(
            SpecialRange.THIS_NETWORK,
            SpecialRange.LOOPBACK_IPV4,
            SpecialRange.LINK_LOCAL_IPV4,
            SpecialRange.MULTICAST_IPV4,
            SpecialRange.UNSPECIFIED_IPV6,
            SpecialRange.LOOPBACK_IPV6,
            SpecialRange.LINK_LOCAL_IPV6,
            SpecialRange.MULTICAST_IPV6);

    private SockdTemplate() {}

    static String render(DanteSettings settings) {
        String pass = settings.clients().stream()
                .map(client -> """
                        client pass {
                            from: %s to: 0/0
                            log: error
                        }
                        """.formatted(client.network()))
                .collect(Collectors.joining());
        String block = Stream.concat(BLOCKED_DESTINATIONS.stream(), settings.unreachable().stream())
                .map(Prefix::network)
                .distinct()
                .map(prefix -> """
                        socks block {
                            from: 0/0 to: %s
                            command: connect udpassociate bind
                            log: error
                        }
                        """.formatted(prefix))
                .collect(Collectors.joining());
        String user = settings.login().map(login -> "user: " + login.user()).orElse("");
        String near = settings.udpPorts().isEmpty()
                ? ""
                : settings.near().stream()
                        .map(client -> """
                                socks pass {
                                    from: %s to: 0/0
                                    command: connect udpassociate
                                    %s
                                    log: error
                                }
                                """.formatted(client.network(), user))
                        .collect(Collectors.joining());
        return text().replace("${port}", String.valueOf(settings.port()))
                .replace("${internal6}", settings.ipv6() ? "internal: :: port = " + settings.port() : "")
                .replace("${tunnel}", settings.tunnel())
                .replace("${method}", settings.login().isPresent() ? "username" : "none")
                .replace("${clients}", pass.strip())
                .replace("${unreachable}", block.strip())
                .replace("${near}", near.strip())
                .replace(
                        "${udp}",
                        settings.udpPorts()
                                .map(ports -> "udp.portrange: " + ports)
                                .orElse(""))
                .replace("${user}", user);
    }

    private static String text() {
        try (InputStream template = SockdTemplate.class.getResourceAsStream("/io/culvert/socks/sockd.conf")) {
            return new String(
                    Objects.requireNonNull(template, "sockd.conf is missing from the program")
                            .readAllBytes(),
                    StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
