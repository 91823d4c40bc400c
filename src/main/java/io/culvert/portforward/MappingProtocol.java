// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import io.culvert.net.Transport;
import java.util.Optional;

/** The messages of a protocol that maps ports of a gateway. */
interface MappingProtocol {

    /** The port of the gateway for both protocols (RFC 6886, section 3; RFC 6887, section 19.1). */
    int PORT = 5351;

    /** Longer than any response; datagrams of PCP have at most 1100 bytes (RFC 6887, section 7). */
    int MAX_RESPONSE = 1200;

    /**
     * Returns a request for a mapping.
     *
     * @param internal port of this node
     * @param external port that is suggested, 0 for any
     * @param seconds the lifetime; 0 deletes the mapping
     */
    byte[] request(Transport transport, int internal, int external, int seconds);

    /** Parses the response to the request for this internal port; empty if it is anything else. */
    Optional<Response> parse(byte[] packet, Transport transport, int internal);

    /**
     * A gateway's response.
     *
     * @param result 0 for success, else the protocol's code
     * @param external the port that is mapped
     * @param seconds the lifetime
     * @param epoch seconds since the gateway's table of mappings was reset
     */
    record Response(int result, int external, long seconds, long epoch) {

        /** The gateway does not support this version of the protocol; the same code in both (RFC 6887, appendix A). */
        static final int UNSUPPORTED_VERSION = 1;

        boolean isMapped() {
            return result == 0 && external > 0 && seconds > 0;
        }
    }
}
