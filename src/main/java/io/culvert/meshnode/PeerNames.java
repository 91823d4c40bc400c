// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import io.culvert.wireguard.config.PublicKey;
import java.util.Map;

/** The names of peers in the network file, by public key. */
record PeerNames(Map<PublicKey, String> names) {

    PeerNames {
        names = Map.copyOf(names);
    }

    /** Returns the name of the peer, or the beginning of its key. */
    String of(PublicKey key) {
        return names.getOrDefault(key, key.shortText());
    }
}
