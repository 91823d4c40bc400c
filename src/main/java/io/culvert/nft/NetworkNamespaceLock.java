// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.linux.AbstractSocketLock;
import io.culvert.linux.Errno;
import io.culvert.linux.SystemCallException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.NetlinkSockets;
import java.util.Optional;

/**
 * A lock on a network namespace for one Culvert, which no process without CAP_NET_ADMIN there can take: an empty
 * nftables table with the flag "owner" (Linux 5.12). Only the netlink socket that created it can remove it, and the
 * kernel does so when that socket is closed, at the latest when its process exits. If the kernel has no such tables, it
 * is a {@link AbstractSocketLock}, which any process can take.
 */
public final class NetworkNamespaceLock implements AutoCloseable {

    /** The lock of 'culvert up'; 'culvert tunnel' takes it while it makes changes. */
    public static final String EXIT_NODE_TABLE = "culvert-runs";

    private static final int CREATE_EXCLUSIVE = NetlinkMessage.NLM_F_CREATE | NetlinkMessage.NLM_F_EXCL;

    /** The number of attempts: the holder may release the lock between the refusal and the check. */
    private static final int ATTEMPTS = 3;

    private final Runnable release;

    private NetworkNamespaceLock(Runnable release) {
        this.release = release;
    }

    /**
     * Takes the lock in the calling thread's network namespace, until it is closed or this process exits.
     *
     * @param name of the table, an nftables identifier
     * @return empty if another process holds it
     */
    public static Optional<NetworkNamespaceLock> take(String name) {
        return take(name, NetlinkSockets.KERNEL);
    }

    /**
     * Takes the lock in the calling thread's network namespace, until it is closed or this process exits.
     *
     * @param name of the table, an nftables identifier
     * @return empty if another process holds it
     */
    public static Optional<NetworkNamespaceLock> take(String name, NetlinkSockets sockets) {
        Table.Id table = new Table.Id(Table.Family.INET, name);
        NetlinkSocket socket;
        try {
            socket = sockets.netfilter();
        } catch (SystemCallException _) {
            return takeFallback(name); // This kernel has no netfilter.
        }
        Rulesets rulesets = Rulesets.of(socket);
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            Optional<RulesetTransaction.Refusal> refusal = rulesets.execute(
                    new RulesetTransaction().create(table, NfTables.NFT_TABLE_F_OWNER, CREATE_EXCLUSIVE));
            if (refusal.isEmpty()) {
                return Optional.of(new NetworkNamespaceLock(() -> rulesets.closeWith(table)));
            }
            // For a table of another socket the kernel returns EPERM, as it does for missing capabilities.
            if (refusal.get().errno() == Errno.EEXIST || rulesets.exists(table)) {
                rulesets.close();
                return Optional.empty();
            }
        }
        rulesets.close();
        return takeFallback(name);
    }

    /** Returns whether a table, by its full name in nft, is such a lock: it has no rules. */
    static boolean isLock(String table) {
        return table.equals("inet " + EXIT_NODE_TABLE) || table.startsWith("inet culvert-mesh-");
    }

    private static Optional<NetworkNamespaceLock> takeFallback(String name) {
        return AbstractSocketLock.take(name).map(socketLock -> new NetworkNamespaceLock(socketLock::close));
    }

    @Override
    public void close() {
        release.run();
    }
}
