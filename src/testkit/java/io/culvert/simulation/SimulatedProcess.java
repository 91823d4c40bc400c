// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program that runs until it is ended. */
final class SimulatedProcess extends Process {

    private final SimulatedThreads threads;
    private final long pid;
    private final byte[] output;
    private int read;
    private boolean hangs;
    private boolean ended;
    private int status;

    SimulatedProcess(SimulatedThreads threads, long pid, String output) {
        this.threads = threads;
        this.pid = pid;
        this.output = output.getBytes(StandardCharsets.UTF_8);
    }

    void end(int exitStatus) {
        if (!ended) {
            ended = true;
            status = exitStatus;
        }
    }

    /** From now on it reacts neither to SIGTERM nor to clients. */
    void hang() {
        hangs = true;
    }

    boolean hangs() {
        return hangs;
    }

    @Override
    public OutputStream getOutputStream() {
        return OutputStream.nullOutputStream();
    }

    @Override
    public InputStream getErrorStream() {
        return InputStream.nullInputStream();
    }

    @Override
    public InputStream getInputStream() {
        return new InputStream() {
            @Override
            public int read() {
                threads.await(() -> read < output.length || ended, Duration.ofDays(365));
                return read < output.length ? output[read++] : -1;
            }

            @Override
            public int read(byte[] buffer, int offset, int length) {
                int first = read();
                if (first < 0) {
                    return -1;
                }
                buffer[offset] = (byte) first;
                return 1;
            }
        };
    }

    @Override
    public int waitFor() {
        threads.await(() -> ended, Duration.ofDays(365));
        return status;
    }

    @Override
    public boolean waitFor(long timeout, TimeUnit unit) {
        return threads.await(() -> ended, Duration.ofNanos(unit.toNanos(timeout)));
    }

    @Override
    public int exitValue() {
        if (!ended) {
            throw new IllegalThreadStateException();
        }
        return status;
    }

    @Override
    public void destroy() {
        if (!hangs) {
            end(143);
        }
    }

    @Override
    public Process destroyForcibly() {
        end(137);
        return this;
    }

    @Override
    public boolean isAlive() {
        return !ended;
    }

    @Override
    public long pid() {
        return pid;
    }

    @Override
    public Stream<ProcessHandle> descendants() {
        return Stream.empty();
    }
}
