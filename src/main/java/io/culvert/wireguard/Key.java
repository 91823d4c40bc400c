package io.culvert.wireguard;

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

    /** By name, letters' case aside. */
    static Optional<Key> of(String text) {
        return Stream.of(values())
                .filter(key -> key.text.equalsIgnoreCase(text))
                .findFirst();
    }

    static List<String> names() {
        return Stream.of(values()).map(Key::toString).toList();
    }

    /** The section it belongs to. */
    Header header() {
        return header;
    }

    boolean isHook() {
        return switch (this) {
            case PRE_UP, POST_UP, PRE_DOWN, POST_DOWN -> true;
            default -> false;
        };
    }

    /** Whether it holds a secret or public key. */
    boolean isKey() {
        return switch (this) {
            case PRIVATE_KEY, PUBLIC_KEY, PRESHARED_KEY -> true;
            default -> false;
        };
    }

    /** Whether several lines add up; of other keys the last line counts. */
    boolean accumulates() {
        return isHook() || this == ADDRESS || this == DNS || this == ALLOWED_IPS;
    }

    /** As the manual pages write it. */
    @Override
    public String toString() {
        return text;
    }
}
