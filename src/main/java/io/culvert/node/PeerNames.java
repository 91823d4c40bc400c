package io.culvert.node;

import io.culvert.wireguard.PublicKey;
import java.util.Map;

/** What peers are called in the network file. */
record PeerNames(Map<PublicKey, String> names) {

    PeerNames {
        names = Map.copyOf(names);
    }

    /** Its name, or the beginning of its key. */
    String of(PublicKey key) {
        return names.getOrDefault(key, key.shortText());
    }
}
