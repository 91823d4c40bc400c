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
 * What the kernel says of a network namespace's rulesets when it is asked directly: microseconds, where the library first
 * fetches every element of every set, whatever it is asked for (1.0.6).
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
    private static final int HEADER = 4;

    /** {@code NFPROTO_*} (include/uapi/linux/netfilter.h). */
    private static final Map<Integer, String> FAMILIES =
            Map.of(1, "inet", 2, "ip", 3, "arp", 5, "netdev", 7, "bridge", 10, "ip6");

    private final KernelNetlinkSocket socket;

    private Rulesets(KernelNetlinkSocket socket) {
        this.socket = socket;
    }

    /** Of the calling thread's network namespace. */
    static Rulesets open() {
        return of(KernelNetlinkSocket.netfilter());
    }

    /** @param socket is closed with it */
    static Rulesets of(KernelNetlinkSocket socket) {
        return new Rulesets(socket);
    }

    /**
     * The count of changes, whoever made them: while it stays the same, so do all tables.
     *
     * @return empty where the kernel does not say
     */
    Optional<Integer> generation() {
        try {
            return socket.ask(message(NFT_MSG_GETGEN)).stream()
                    .filter(answer -> answer.type() == (SUBSYSTEM | NFT_MSG_NEWGEN))
                    .flatMap(answer -> Attributes.parse(answer.payload(), HEADER).bytes(NFTA_GEN_ID).stream())
                    .filter(id -> id.length == Integer.BYTES)
                    .map(id -> ByteBuffer.wrap(id).getInt())
                    .findFirst();
        } catch (NetlinkException _) {
            return Optional.empty();
        }
    }

    /**
     * The tables that are there, of the families we use and with names that we could have given.
     *
     * @throws NetlinkException where the kernel does not say
     */
    List<Table.Id> tables() {
        return socket.dump(message(NFT_MSG_GETTABLE)).stream()
                .filter(answer -> answer.type() == (SUBSYSTEM | NFT_MSG_NEWTABLE) && answer.payload().length >= HEADER)
                .flatMap(answer -> Arrays.stream(Table.Family.values())
                        .filter(family -> family.number() == answer.payload()[0])
                        .flatMap(family -> Attributes.parse(answer.payload(), HEADER).string(NFTA_TABLE_NAME).stream()
                                .filter(Table::isIdentifier)
                                .map(name -> new Table.Id(family, name))))
                .toList();
    }

    /**
     * All tables, of every family, in nft's own words such as {@code ip6 filter}.
     *
     * @throws NetlinkException where the kernel does not say
     */
    List<String> allTables() {
        return socket.dump(message(NFT_MSG_GETTABLE)).stream()
                .filter(answer -> answer.type() == (SUBSYSTEM | NFT_MSG_NEWTABLE) && answer.payload().length >= HEADER)
                .flatMap(answer -> Attributes.parse(answer.payload(), HEADER).string(NFTA_TABLE_NAME).stream()
                        .map(name -> FAMILIES.getOrDefault((int) answer.payload()[0], "unknown") + " " + name))
                .toList();
    }

    /** Whether this table is there; false where the kernel does not say. */
    boolean has(Table.Id table) {
        try {
            return tables().contains(table);
        } catch (NetlinkException _) {
            return false;
        }
    }

    private static NetlinkMessage message(int type) {
        return new NetlinkMessage(SUBSYSTEM | type, 0, new byte[HEADER]);
    }

    @Override
    public void close() {
        socket.close();
    }
}
