// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The keys of a wg-quick file (wg(8) and wg-quick(8)). */
enum Key {
    PRIVATE_KEY("PrivateKey", Header.INTERFACE),
    LISTEN_PORT("ListenPort", Header.INTERFACE),
    FW_MARK("FwMark", Header.INTERFACE),
    ADDRESS("Address", Header.INTERFACE),
    DNS("DNS", Header.INTERFACE),
    MTU("MTU", Header.INTERFACE),
    TABLE("Table", Header.INTERFACE),
    SAVE_CONFIG("SaveConfig", Header.INTERFACE),
    PRE_UP("PreUp", Header.INTERFACE),
    POST_UP("PostUp", Header.INTERFACE),
    PRE_DOWN("PreDown", Header.INTERFACE),
    POST_DOWN("PostDown", Header.INTERFACE),
    PUBLIC_KEY("PublicKey", Header.PEER),
    PRESHARED_KEY("PresharedKey", Header.PEER),
    ALLOWED_IPS("AllowedIPs", Header.PEER),
    ENDPOINT("Endpoint", Header.PEER),
    PERSISTENT_KEEPALIVE("PersistentKeepalive", Header.PEER);

    /** The kinds of section. */
    enum Header {
        INTERFACE("[Interface]"),
        PEER("[Peer]");

        private final String text;

        Header(String text) {
            this.text = text;
        }

        static Optional<Header> of(String text) {
            return Stream.of(values())
                    .filter(header -> header.text.equalsIgnoreCase(text))
                    .findFirst();
        }

        static List<String> names() {
            return Stream.of(values()).map(Header::toString).toList();
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private final String text;
    private final Header header;

    Key(String text, Header header) {
        this.text = text;
        this.header = header;
    }

    /** Returns the key of this name, ignoring case. */
    static Optional<Key> of(String text) {
        return Stream.of(values())
                .filter(key -> key.text.equalsIgnoreCase(text))
                .findFirst();
    }

    static List<String> names() {
        return Stream.of(values()).map(Key::toString).toList();
    }

    /** Returns the section that this key belongs to. */
    Header header() {
        return header;
    }

    boolean isHook() {
        return switch (this) {
            case PRE_UP, POST_UP, PRE_DOWN, POST_DOWN -> true;
            default -> false;
        };
    }

    /** Returns whether the value is a private, public or preshared key. */
    boolean isKey() {
        return switch (this) {
            case PRIVATE_KEY, PUBLIC_KEY, PRESHARED_KEY -> true;
            default -> false;
        };
    }

    /** Returns whether repeated lines are combined. For other keys the last line applies. */
    boolean accumulates() {
        return isHook() || this == ADDRESS || this == DNS || this == ALLOWED_IPS;
    }

    /** Returns the name in the spelling of the manual pages. */
    @Override
    public String toString() {
        return text;
    }
}
