// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Port;
import java.util.Locale;
import java.util.OptionalInt;

/** Where the port comes from that the provider forwards through the tunnel. */
public sealed interface ForwardedPortSource {

    /** No port is forwarded. */
    record Off() implements ForwardedPortSource {
        @Override
        public String toString() {
            return "off";
        }
    }

    /**
     * A port that the provider assigned once.
     *
     * @param port 1 to 65535
     */
    record Fixed(int port) implements ForwardedPortSource {
        public Fixed {
            Port.requireNumber(port);
        }

        @Override
        public String toString() {
            return String.valueOf(port);
        }
    }

    /** A port that is requested from the provider's gateway. */
    enum Requested implements ForwardedPortSource {
        /** By NAT-PMP, or by PCP where the gateway does not answer to that. */
        AUTO,
        /** RFC 6886. */
        NATPMP,
        /** RFC 6887. */
        PCP;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** @throws MalformedValue with a message for the user */
    static ForwardedPortSource parse(String text) {
        OptionalInt port = Port.parseNumber(text);
        if (port.isPresent()) {
            return new Fixed(port.getAsInt());
        }
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "off", "false", "no" -> new Off();
            case "auto", "on", "true", "yes" -> Requested.AUTO;
            case "natpmp", "nat-pmp" -> Requested.NATPMP;
            case "pcp" -> Requested.PCP;
            default ->
                throw new MalformedValue(
                        "'" + text + "' is neither a port nor a protocol that requests one",
                        "use auto, natpmp, pcp, off, or the number of the port that your provider assigned, 1 to 65535");
        };
    }
}
