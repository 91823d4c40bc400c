// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import io.culvert.net.Transport;
import io.culvert.portforward.MappingProtocol.Response;
import io.culvert.settings.ForwardedPortSource.Requested;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Requests a port from a gateway: the same one for TCP and UDP, and the same one outside and on this node, as a program behind
 * it announces the port that it listens on.
 */
final class PortMapper {

    /** What Proton VPN grants; others grant more, or their own minimum. */
    private static final int LIFETIME_SECONDS = 60;

    /** A gateway's error must not keep a port indefinitely: after this time it is requested again. */
    private static final Duration MAX_LIFETIME = Duration.ofDays(1);

    private static final int CANDIDATES = 4;

    /** The first timeout of RFC 6886, section 3.1, which doubles; fewer repetitions, as the whole is repeated later. */
    private static final List<Duration> TIMEOUTS =
            List.of(Duration.ofMillis(250), Duration.ofMillis(500), Duration.ofMillis(1000), Duration.ofMillis(2000));

    private static final List<Duration> ONE_TRY = List.of(Duration.ofMillis(500));

    private final GatewayChannel gateway;
    private final Pcp pcp;
    private final RandomGenerator random;

    /** @param pcp the messages of PCP for this node */
    PortMapper(GatewayChannel gateway, Pcp pcp, RandomGenerator random) {
        this.gateway = gateway;
        this.pcp = pcp;
        this.random = random;
    }

    /**
     * Requests a port, by any protocol that is allowed.
     *
     * @throws IOException with a reason for the user, if there is none
     */
    PortMapping map(Requested source) throws IOException {
        List<MappingProtocol> protocols = new ArrayList<>();
        if (source != Requested.PCP) {
            protocols.add(new NatPmp());
        }
        if (source != Requested.NATPMP) {
            protocols.add(pcp);
        }
        List<String> failures = new ArrayList<>();
        for (MappingProtocol protocol : protocols) {
            try {
                return map(protocol);
            } catch (IOException e) {
                failures.add(protocol + ": " + e.getMessage());
            }
        }
        throw new IOException(String.join("; ", failures));
    }

    /**
     * Renews a mapping. The gateway may grant another port.
     *
     * @throws IOException with a reason for the user
     */
    PortMapping renew(PortMapping mapping) throws IOException {
        PortMapping renewed = mapBoth(mapping.protocol(), mapping.internal(), mapping.port());
        if (renewed.internal() != 0 && renewed.internal() != renewed.port()) {
            release(renewed);
            throw new IOException("the gateway maps another port now");
        }
        return renewed;
    }

    /** Deletes a mapping; a gateway that does not answer deletes it when its lifetime ends. */
    void release(PortMapping mapping) {
        for (Transport transport : Transport.values()) {
            release(mapping.protocol(), transport, mapping.internal());
        }
    }

    private void release(MappingProtocol protocol, Transport transport, int internal) {
        try {
            exchange(protocol, transport, internal, protocol.request(transport, internal, 0, 0), ONE_TRY);
        } catch (IOException _) {
            // It ends with its lifetime.
        }
    }

    private PortMapping map(MappingProtocol protocol) throws IOException {
        if (protocol instanceof NatPmp) {
            // As Proton VPN documents it: the internal port is 0, and the gateway chooses one for both sides. Others
            // refuse that.
            Response chosen = exchange(
                    protocol, Transport.UDP, 0, protocol.request(Transport.UDP, 0, 1, LIFETIME_SECONDS), TIMEOUTS);
            if (chosen.isMapped()) {
                return mapBoth(protocol, 0, chosen.external());
            }
            if (chosen.result() == Response.UNSUPPORTED_VERSION) {
                throw refused(chosen);
            }
        }
        int candidate = random.nextInt(49_152, 65_536);
        for (int i = 0; i < CANDIDATES; i++) {
            PortMapping mapping = mapBoth(protocol, candidate, candidate);
            if (mapping.port() == candidate) {
                return mapping;
            }
            release(mapping);
            candidate = mapping.port();
        }
        throw new IOException("the gateway maps no port to the same one of this node");
    }

    private PortMapping mapBoth(MappingProtocol protocol, int internal, int external) throws IOException {
        Response udp = mapOne(protocol, Transport.UDP, internal, external);
        Response tcp;
        try {
            tcp = mapOne(protocol, Transport.TCP, internal, udp.external());
        } catch (IOException e) {
            release(protocol, Transport.UDP, internal);
            throw e;
        }
        Duration lifetime =
                Duration.ofSeconds(Math.min(Math.min(udp.seconds(), tcp.seconds()), MAX_LIFETIME.toSeconds()));
        PortMapping mapping = new PortMapping(protocol, internal, udp.external(), lifetime, tcp.epoch());
        if (tcp.external() != udp.external()) {
            release(mapping);
            throw new IOException("the gateway maps different ports for TCP and UDP");
        }
        return mapping;
    }

    private Response mapOne(MappingProtocol protocol, Transport transport, int internal, int external)
            throws IOException {
        Response response = exchange(
                protocol,
                transport,
                internal,
                protocol.request(transport, internal, external, LIFETIME_SECONDS),
                TIMEOUTS);
        if (!response.isMapped()) {
            throw refused(response);
        }
        return response;
    }

    private static IOException refused(Response response) {
        return new IOException(
                response.result() == Response.UNSUPPORTED_VERSION
                        ? "the gateway does not support it"
                        : "the gateway refuses (result code " + response.result() + ")");
    }

    /** Sends a request until it is answered; what is no answer to it is ignored. */
    private Response exchange(
            MappingProtocol protocol, Transport transport, int internal, byte[] request, List<Duration> timeouts)
            throws IOException {
        for (Duration timeout : timeouts) {
            gateway.send(request);
            long deadline = System.nanoTime() + timeout.toNanos();
            for (Duration rest = timeout; rest.isPositive(); rest = Duration.ofNanos(deadline - System.nanoTime())) {
                Optional<byte[]> packet = gateway.receive(rest);
                if (packet.isEmpty()) {
                    break;
                }
                Optional<Response> response = protocol.parse(packet.get(), transport, internal);
                if (response.isPresent()) {
                    return response.get();
                }
            }
        }
        throw new IOException("the gateway does not respond");
    }
}
