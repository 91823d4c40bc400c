// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.PublicKey;
import io.culvert.wireguard.config.SecretKey;
import io.culvert.wireguard.device.DeviceState.PeerState;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A response of the configuration protocol of userspace WireGuard.
 *
 * @param errno 0 on success, otherwise a negative error number
 * @param state the state, if it was requested
 */
record UapiResponse(int errno, DeviceState state) {

    /**
     * Parses a response; unknown keys are ignored, as implementations add their own.
     *
     * @throws IllegalArgumentException with the line number, but never the value, which may be a secret
     */
    static UapiResponse parse(String text) {
        Reader reader = new Reader();
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isEmpty()) {
                break;
            }
            int equals = line.indexOf('=');
            String key = equals < 0 ? "" : line.substring(0, equals);
            try {
                reader.read(key, line.substring(equals + 1));
            } catch (IllegalArgumentException _) { // Without the cause, whose message contains the value.
                throw new IllegalArgumentException("line " + (i + 1) + " of the device's response is malformed"
                        + (key.matches("[a-z_]+") ? " (" + key + ")" : ""));
            }
        }
        return reader.response();
    }

    /** Collects the lines: first those of the device, then those of each peer. */
    private static final class Reader {

        private Optional<Integer> errno = Optional.empty();
        private Optional<PublicKey> publicKey = Optional.empty();
        private int listenPort;
        private long mark;
        private final List<PeerReader> peers = new ArrayList<>();

        void read(String key, String value) {
            switch (key) {
                case "errno" -> errno = Optional.of(Integer.parseInt(value));
                case "private_key" -> {
                    byte[] bytes = HexFormat.of().parseHex(value);
                    publicKey =
                            isZero(bytes) ? Optional.empty() : Optional.of(KeyGenerator.publicOf(new SecretKey(bytes)));
                }
                case "listen_port" -> listenPort = (int) number(value, 65535);
                case "fwmark" -> mark = number(value, 0xffff_ffffL);
                case "public_key" ->
                    peers.add(new PeerReader(new PublicKey(HexFormat.of().parseHex(value))));
                case "" -> throw new IllegalArgumentException("no key");
                default -> {
                    if (!peers.isEmpty()) {
                        peers.getLast().read(key, value);
                    }
                }
            }
        }

        UapiResponse response() {
            int status =
                    errno.orElseThrow(() -> new IllegalArgumentException("the device's response has no errno line"));
            return new UapiResponse(
                    status,
                    new DeviceState(
                            publicKey,
                            listenPort,
                            mark,
                            peers.stream().map(PeerReader::state).toList()));
        }
    }

    private static final class PeerReader {

        private final PublicKey publicKey;
        private boolean presharedKey;
        private Optional<InetSocketAddress> endpoint = Optional.empty();
        private long handshakeSeconds;
        private long handshakeNanos;
        private long received;
        private long sent;
        private int keepalive;
        private final List<Prefix> allowedIps = new ArrayList<>();

        PeerReader(PublicKey publicKey) {
            this.publicKey = publicKey;
        }

        void read(String key, String value) {
            switch (key) {
                case "preshared_key" -> presharedKey = !isZero(HexFormat.of().parseHex(value));
                case "endpoint" -> endpoint = Optional.of(endpoint(value));
                case "last_handshake_time_sec" -> handshakeSeconds = number(value, Instant.MAX.getEpochSecond());
                case "last_handshake_time_nsec" -> handshakeNanos = number(value, 999_999_999);
                case "rx_bytes" -> received = number(value, Long.MAX_VALUE);
                case "tx_bytes" -> sent = number(value, Long.MAX_VALUE);
                case "persistent_keepalive_interval" -> keepalive = (int) number(value, 65535);
                case "allowed_ip" -> allowedIps.add(Prefix.parse(value));
                default -> {}
            }
        }

        PeerState state() {
            return new PeerState(
                    publicKey,
                    presharedKey,
                    endpoint,
                    handshakeSeconds == 0 && handshakeNanos == 0
                            ? Optional.empty()
                            : Optional.of(Instant.ofEpochSecond(handshakeSeconds, handshakeNanos)),
                    received,
                    sent,
                    keepalive,
                    allowedIps);
        }

        /** Parses an address literal and a port; the zone of a link-local address is dropped. */
        private static InetSocketAddress endpoint(String value) {
            Endpoint endpoint = Endpoint.parse(value.indexOf('%') < 0 ? value : value.replaceFirst("%[^]]*", ""));
            return switch (endpoint.host()) {
                case Host.Literal(var address) -> new InetSocketAddress(address, endpoint.port());
                case Host.Name _ -> throw new IllegalArgumentException("not an address");
            };
        }
    }

    private static long number(String text, long max) {
        long number = Long.parseLong(text);
        if (number < 0 || number > max) {
            throw new IllegalArgumentException("out of range");
        }
        return number;
    }

    private static boolean isZero(byte[] bytes) {
        return Arrays.equals(bytes, new byte[bytes.length]);
    }
}
