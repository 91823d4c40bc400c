// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

/**
 * A filter for peers. A list of filters selects the peers that match all of them; an empty list selects all peers.
 *
 * @param type the attribute that is compared
 * @param not whether the rule is {@code not} instead of {@code is}
 * @param value the name of a peer, group or subnet
 */
record Selector(Type type, boolean not, LocatedValue<String> value) {

    enum Type {
        PEER,
        GROUP,
        SUBNET
    }
}
