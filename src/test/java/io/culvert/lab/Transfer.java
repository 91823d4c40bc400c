package io.culvert.lab;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A download that goes on while something happens to its way: numbered words over TCP, so that none can be missing or twice
 * without being noticed, and the longest time that nothing came.
 */
public final class Transfer implements AutoCloseable {

    private static final int WORDS = 2048;
    private static final Duration PACE = Duration.ofMillis(4);
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    private final CountDownLatch end = new CountDownLatch(1);
    private final CompletableFuture<Long> sent = new CompletableFuture<>();
    private final CompletableFuture<Long> received = new CompletableFuture<>();
    private volatile long words;
    private long longest;
    private long last;

    private Transfer() {}

    /** Begins: one node sends to another, to its address in the mesh, about 4 MB a second. */
    public static Transfer begin(Namespace from, Namespace to, String address, int port) {
        Transfer transfer = new Transfer();
        try {
            ServerSocket server = to.call(() -> new ServerSocket(port, 1, InetAddress.getByName(address)));
            Thread.ofPlatform()
                    .daemon()
                    .name("transfer in")
                    .start(() -> transfer.run(transfer.received, () -> transfer.receive(server)));
            Socket socket = from.call(() -> {
                Socket one = new Socket();
                one.connect(new InetSocketAddress(address, port), (int) DEADLINE.toMillis());
                return one;
            });
            Thread.ofPlatform()
                    .daemon()
                    .name("transfer out")
                    .start(() -> transfer.run(transfer.sent, () -> transfer.send(socket)));
        } catch (Exception e) {
            throw new AssertionError("beginning a transfer to " + address, e);
        }
        transfer.awaitMore();
        return transfer;
    }

    private interface Work {
        long run() throws Exception;
    }

    private void run(CompletableFuture<Long> result, Work work) {
        try {
            result.complete(work.run());
        } catch (Exception e) {
            result.completeExceptionally(e);
        }
    }

    private long send(Socket socket) throws IOException, InterruptedException {
        long next = 0;
        try (socket;
                OutputStream out = socket.getOutputStream()) {
            while (!end.await(PACE.toMillis(), TimeUnit.MILLISECONDS)) {
                ByteBuffer block = ByteBuffer.allocate(WORDS * Long.BYTES);
                for (int i = 0; i < WORDS; i++) {
                    block.putLong(next++);
                }
                out.write(block.array());
            }
        }
        return next;
    }

    private long receive(ServerSocket server) throws IOException {
        try (server;
                Socket socket = server.accept();
                DataInputStream in = new DataInputStream(socket.getInputStream())) {
            byte[] block = new byte[1024 * Long.BYTES];
            last = System.nanoTime();
            while (true) {
                try {
                    in.readFully(block);
                } catch (EOFException _) {
                    return words;
                }
                ByteBuffer buffer = ByteBuffer.wrap(block);
                long expected = words;
                while (buffer.hasRemaining()) {
                    long word = buffer.getLong();
                    if (word != expected++) {
                        throw new IOException("word " + word + " came in place of " + (expected - 1));
                    }
                }
                note(expected);
            }
        }
    }

    private synchronized void note(long count) {
        long now = System.nanoTime();
        longest = Math.max(longest, now - last);
        last = now;
        words = count;
        notifyAll();
    }

    /** Waits until something has come that was sent after this was called. */
    public synchronized void awaitMore() {
        long deadline = System.nanoTime() + Patience.of(DEADLINE).toNanos();
        long enough = words + 100L * WORDS;
        while (words < enough) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0 || received.isDone()) {
                throw new AssertionError("the transfer has stalled at " + words + " words: " + received);
            }
            try {
                wait(left);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** The longest time that nothing came since this was last asked. */
    public synchronized Duration longestPause() {
        Duration pause = Duration.ofNanos(Math.max(longest, System.nanoTime() - last));
        longest = 0;
        last = System.nanoTime();
        return pause;
    }

    /** Ends it; every word must have come, in order. */
    public void finish() {
        end.countDown();
        try {
            long out = sent.get(60, TimeUnit.SECONDS);
            long in = received.get(60, TimeUnit.SECONDS);
            if (in != out) {
                throw new AssertionError(in + " of " + out + " words have come");
            }
        } catch (Exception e) {
            throw new AssertionError("the transfer has broken off at " + words + " words", e);
        }
    }

    @Override
    public void close() {
        end.countDown();
    }

    @Override
    public String toString() {
        return "transfer, " + words + " words";
    }
}
