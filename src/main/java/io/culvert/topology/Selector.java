package io.culvert.topology;

/**
 * One condition on a peer; a list of them means all of them, an empty list any peer.
 *
 * @param type what of the peer is looked at
 * @param not whether the rule is {@code not} instead of {@code is}
 * @param value the name of a peer, group or subnet
 */
record Selector(Type type, boolean not, Written<String> value) {

    enum Type {
        PEER,
        GROUP,
        SUBNET
    }
}
