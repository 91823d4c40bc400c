// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.netlink.Attributes;
import io.culvert.netlink.KernelNetlinkSocket;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Queries of a network namespace's rulesets directly to the kernel: these take microseconds, while the library first
 * fetches every element of every set, whatever it is queried for (1.0.6).
 */
final class Rulesets implements AutoCloseable {

    /** {@code NFNL_SUBSYS_NFTABLES} (include/uapi/linux/netfilter/nfnetlink.h), in the upper byte of a message's type. */
    static final int SUBSYSTEM = 10 << 8;

    /** include/uapi/linux/netfilter/nf_tables.h. */
    static final int NFT_MSG_NEWTABLE = 0;

    private static final int NFT_MSG_GETTABLE = 1;
    private static final int NFT_MSG_NEWGEN = 15;
    private static final int NFT_MSG_GETGEN = 16;
    static final int NFTA_TABLE_NAME = 1;
    private static final int NFTA_GEN_ID = 1;

    /** {@code sizeof(struct nfgenmsg)}: family, version, resource (2). */
    private static final int HEADER_LENGTH = 4;

    /** {@code NFPROTO_*} (include/uapi/linux/netfilter.h). */
    private static final Map<Integer, String> FAMILIES =
            Map.of(1, "inet", 2, "ip", 3, "arp", 5, "netdev", 7, "bridge", 10, "ip6");

    private final KernelNetlinkSocket socket;

    private Rulesets(KernelNetlinkSocket socket) {
        this.socket = socket;
    }

    /** Opens the rulesets of the calling thread's network namespace. */
    static Rulesets open() {
        return of(KernelNetlinkSocket.netfilter());
    }

    /** @param socket closed together with the result */
    static Rulesets of(KernelNetlinkSocket socket) {
        return new Rulesets(socket);
    }

    /**
     * Returns the generation of the ruleset, which every change by any program increments: while it stays the same, so
     * do all tables.
     *
     * @return empty if the kernel does not return it
     */
    Optional<Integer> generation() {
        try {
            return socket.query(newMessage(NFT_MSG_GETGEN)).stream()
                    .filter(response -> response.type() == (SUBSYSTEM | NFT_MSG_NEWGEN))
                    .flatMap(
                            response -> Attributes.parse(response.payload(), HEADER_LENGTH).bytes(NFTA_GEN_ID).stream())
                    .filter(id -> id.length == Integer.BYTES)
                    .map(id -> ByteBuffer.wrap(id).getInt())
                    .findFirst();
        } catch (NetlinkException _) {
            return Optional.empty();
        }
    }

    /**
     * Returns the existing tables of the families that Culvert uses, with names that are valid here.
     *
     * @throws NetlinkException if the kernel refuses
     */
    List<Table.Id> tables() {
        return socket.dump(newMessage(NFT_MSG_GETTABLE)).stream()
                .filter(response ->
                        response.type() == (SUBSYSTEM | NFT_MSG_NEWTABLE) && response.payload().length >= HEADER_LENGTH)
                .flatMap(response -> Arrays.stream(Table.Family.values())
                        .filter(family -> family.number() == response.payload()[0])
                        .flatMap(family ->
                                Attributes.parse(response.payload(), HEADER_LENGTH).string(NFTA_TABLE_NAME).stream()
                                        .filter(Table::isIdentifier)
                                        .map(name -> new Table.Id(family, name))))
                .toList();
    }

    /**
     * Returns all tables of every family by their full names in nft, such as {@code ip6 filter}.
     *
     * @throws NetlinkException if the kernel refuses
     */
    List<String> allTables() {
        return socket.dump(newMessage(NFT_MSG_GETTABLE)).stream()
                .filter(response ->
                        response.type() == (SUBSYSTEM | NFT_MSG_NEWTABLE) && response.payload().length >= HEADER_LENGTH)
                .flatMap(response ->
                        Attributes.parse(response.payload(), HEADER_LENGTH).string(NFTA_TABLE_NAME).stream()
                                .map(name ->
                                        FAMILIES.getOrDefault((int) response.payload()[0], "unknown") + " " + name))
                .toList();
    }

    /** Returns whether a table exists; false if the kernel refuses the query. */
    boolean exists(Table.Id table) {
        try {
            return tables().contains(table);
        } catch (NetlinkException _) {
            return false;
        }
    }

    private static NetlinkMessage newMessage(int type) {
        return new NetlinkMessage(SUBSYSTEM | type, 0, new byte[HEADER_LENGTH]);
    }

    @Override
    public void close() {
        socket.close();
    }
}
