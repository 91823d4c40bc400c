// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The UAPI socket of a userspace WireGuard; the program that listens on it is the device.
 *
 * @param timeout the timeout of one request, after which the program counts as hanging
 */
record UapiSocket(Path directory, String name, Duration timeout) {

    /** Returns the path that every userspace WireGuard uses. */
    Path path() {
        return directory.resolve(name + ".sock");
    }

    /** Sends a request and returns the response. */
    UapiResponse exchange(String request) throws IOException {
        try (UapiConnection connection = UapiConnection.open(path(), timeout)) {
            return connection.exchange(request);
        }
    }

    /** Returns whether a program listens; without one, the file is left over from a program that was killed. */
    boolean isListening() throws IOException {
        if (!Files.exists(path())) {
            return false;
        }
        try (UapiConnection _ = UapiConnection.open(path(), timeout)) {
            return true;
        } catch (ConnectException _) {
            return false;
        } catch (IOException e) {
            if (Files.exists(path())) {
                throw e;
            }
            return false; // It was removed between the two checks.
        }
    }

    void delete() throws IOException {
        Files.deleteIfExists(path());
    }

    /**
     * Deletes the socket of a program that is not a child of this process, which makes a userspace WireGuard exit, and waits
     * until it has exited and so closed the connection.
     *
     * @param insist run where it has not exited in time; then it gets as much time again
     * @throws SocketTimeoutException if it does not exit
     */
    void deleteAndAwaitExit(Runnable insist) throws IOException {
        if (!isListening()) {
            delete();
            return;
        }
        try (UapiConnection first = UapiConnection.open(path(), timeout);
                UapiConnection second = UapiConnection.open(path(), timeout.multipliedBy(2))) {
            delete();
            try {
                first.awaitClose();
            } catch (SocketTimeoutException _) {
                insist.run();
                second.awaitClose();
            }
        }
    }

    /**
     * Waits until no program listens any more.
     *
     * @return whether no program listens
     */
    boolean awaitNotListening(Duration atMost) throws IOException {
        if (!isListening()) {
            return true;
        }
        try (UapiConnection connection = UapiConnection.open(path(), atMost)) {
            connection.awaitClose();
        } catch (ConnectException | SocketTimeoutException _) {
            // Checked below.
        }
        return !isListening();
    }

    /**
     * Waits until a program listens.
     *
     * @param exit completes when the program exits, which ends the wait
     * @return whether a program listens
     */
    boolean awaitListening(CompletableFuture<?> exit, Duration atMost) throws IOException {
        long deadline = System.nanoTime() + atMost.toNanos();
        try (WatchService watch = directory.getFileSystem().newWatchService()) {
            directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            var _ = exit.thenRun(() -> close(watch));
            while (!isListening()) {
                long remaining = deadline - System.nanoTime();
                if (remaining <= 0 || exit.isDone()) {
                    return false;
                }
                if (Files.exists(path())) {
                    Thread.onSpinWait(); // The file exists shortly before the program listens.
                } else {
                    WatchKey key = watch.poll(remaining, TimeUnit.NANOSECONDS);
                    if (key != null) {
                        key.pollEvents();
                        key.reset();
                    }
                }
            }
            return true;
        } catch (ClosedWatchServiceException _) {
            return false;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static void close(WatchService watch) {
        try {
            watch.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
