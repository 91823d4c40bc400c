package io.culvert.device;

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
 * The socket of a userspace WireGuard: whoever listens there is the device.
 *
 * @param patience with one request; who has not answered by then hangs
 */
record UapiSocket(Path directory, String name, Duration patience) {

    /** Where every userspace WireGuard puts it. */
    Path path() {
        return directory.resolve(name + ".sock");
    }

    /** One request and its answer. */
    UapiAnswer exchange(String request) throws IOException {
        try (UapiConversation conversation = UapiConversation.begin(path(), patience)) {
            return conversation.ask(request);
        }
    }

    /** Whether someone listens; a file that nobody listens behind is left over from a program that was killed. */
    boolean isListening() throws IOException {
        if (!Files.exists(path())) {
            return false;
        }
        try (UapiConversation _ = UapiConversation.begin(path(), patience)) {
            return true;
        } catch (ConnectException _) {
            return false;
        } catch (IOException e) {
            if (Files.exists(path())) {
                throw e;
            }
            return false; // It went between the two looks.
        }
    }

    void delete() throws IOException {
        Files.deleteIfExists(path());
    }

    /**
     * Takes the socket away from a program that is not our child, which is how a userspace WireGuard is told to end, and waits
     * until it has ended and so let go of our connection.
     */
    void deleteAndAwaitEnd() throws IOException {
        if (!isListening()) {
            delete();
            return;
        }
        try (UapiConversation conversation = UapiConversation.begin(path(), patience)) {
            delete();
            conversation.awaitEnd();
        }
    }

    /**
     * Waits until nobody listens any more.
     *
     * @return whether nobody does
     */
    boolean awaitSilence(Duration atMost) throws IOException {
        if (!isListening()) {
            return true;
        }
        try (UapiConversation conversation = UapiConversation.begin(path(), atMost)) {
            conversation.awaitEnd();
        } catch (ConnectException | SocketTimeoutException _) {
            // Looked at below.
        }
        return !isListening();
    }

    /**
     * Waits until someone listens.
     *
     * @param end of the program that is to listen: then there is nothing more to wait for
     * @return whether someone does
     */
    boolean awaitListening(CompletableFuture<?> end, Duration atMost) throws IOException {
        long deadline = System.nanoTime() + atMost.toNanos();
        try (WatchService watch = directory.getFileSystem().newWatchService()) {
            directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            var _ = end.thenRun(() -> close(watch));
            while (!isListening()) {
                long left = deadline - System.nanoTime();
                if (left <= 0 || end.isDone()) {
                    return false;
                }
                if (Files.exists(path())) {
                    Thread.onSpinWait(); // The file is there a moment before its program listens.
                } else {
                    WatchKey key = watch.poll(left, TimeUnit.NANOSECONDS);
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
