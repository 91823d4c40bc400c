// SPDX-License-Identifier: Apache-2.0
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
 * A TCP transfer that continues while its path changes. It sends numbered words, so that a missing or repeated one is detected,
 * and measures the longest time without data.
 */
public final class TcpTransfer implements AutoCloseable {

    private static final int WORDS = 2048;
    private static final Duration INTERVAL = Duration.ofMillis(4);
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final CountDownLatch end = new CountDownLatch(1);
    private final CompletableFuture<Long> sent = new CompletableFuture<>();
    private final CompletableFuture<Long> received = new CompletableFuture<>();
    private volatile long words;
    private long longest;
    private long last;

    private TcpTransfer() {}

    /** Starts to send from one node to another one's address in the mesh, about 4 MB a second. */
    public static TcpTransfer start(LabNamespace from, LabNamespace to, String address, int port) {
        TcpTransfer transfer = new TcpTransfer();
        try {
            ServerSocket server = to.call(() -> new ServerSocket(port, 1, InetAddress.getByName(address)));
            Thread.ofPlatform()
                    .daemon()
                    .name("transfer in")
                    .start(() -> transfer.run(transfer.received, () -> transfer.receive(server)));
            Socket socket = from.call(() -> {
                Socket client = new Socket();
                client.connect(new InetSocketAddress(address, port), (int) TIMEOUT.toMillis());
                return client;
            });
            Thread.ofPlatform()
                    .daemon()
                    .name("transfer out")
                    .start(() -> transfer.run(transfer.sent, () -> transfer.send(socket)));
        } catch (Exception e) {
            throw new AssertionError("starting a transfer to " + address, e);
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
            while (!end.await(INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
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
                        throw new IOException("received word " + word + " instead of " + (expected - 1));
                    }
                }
                recordProgress(expected);
            }
        }
    }

    private synchronized void recordProgress(long count) {
        long now = System.nanoTime();
        longest = Math.max(longest, now - last);
        last = now;
        words = count;
        notifyAll();
    }

    /** Waits until data has arrived that was sent after this call. */
    public synchronized void awaitMore() {
        long deadline = System.nanoTime() + ScaledTimeout.of(TIMEOUT).toNanos();
        long expectedTotal = words + 100L * WORDS;
        while (words < expectedTotal) {
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

    /** Returns the longest time without data since the last call. */
    public synchronized Duration takeLongestPause() {
        Duration pause = Duration.ofNanos(Math.max(longest, System.nanoTime() - last));
        longest = 0;
        last = System.nanoTime();
        return pause;
    }

    /** Ends it and verifies that every word has arrived, in order. */
    public void finish() {
        end.countDown();
        try {
            long out = sent.get(60, TimeUnit.SECONDS);
            long in = received.get(60, TimeUnit.SECONDS);
            if (in != out) {
                throw new AssertionError(in + " of " + out + " words have arrived");
            }
        } catch (Exception e) {
            throw new AssertionError("the transfer failed after " + words + " words", e);
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
