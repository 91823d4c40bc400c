package io.culvert.dns;

import io.culvert.ip.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Addresses that a name must not lead to: whoever forges an answer could otherwise turn an exemption from the tunnel
 * against us (TunnelCrack, CVE-2023-36673).
 *
 * @param what what the prefix is, such as {@code the mesh's own range}
 */
public record Forbidden(Prefix prefix, String what) {

    /** IANA's special-purpose registries (RFC 6890); no server is there, whatever a name says. */
    private static final List<Forbidden> ALWAYS = Stream.of(
                    "0.0.0.0/8 no destination",
                    "127.0.0.0/8 this machine",
                    "169.254.0.0/16 link-local",
                    "224.0.0.0/4 multicast",
                    "255.255.255.255/32 broadcast",
                    "::/128 no destination",
                    "::1/128 this machine",
                    "fe80::/10 link-local",
                    "ff00::/8 multicast")
            .map(line -> line.split(" ", 2))
            .map(words -> new Forbidden(Prefix.parse(words[0]), words[1]))
            .toList();

    /** What is against this address; empty when nothing is. */
    static Optional<String> reason(InetAddress address, List<Forbidden> more) {
        return Stream.concat(ALWAYS.stream(), more.stream())
                .filter(forbidden -> forbidden.prefix.contains(address))
                .map(Forbidden::what)
                .findFirst();
    }
}
