// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import java.nio.ByteBuffer;

/**
 * Hashes of 64 bits of parts of a state. Those of {@link java.util.Arrays} and {@link java.util.Objects} do not suffice: they are
 * the same for 192.0.2.32 and 192.0.3.1, so that the judgement of one state would be that of another.
 */
final class StateHash {

    private static final long STEP = 0x9E3779B97F4A7C15L;

    private StateHash() {}

    static long of(long... values) {
        long hash = values.length;
        for (long value : values) {
            hash = mix(hash * STEP + value);
        }
        return hash;
    }

    static long of(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        long hash = bytes.length;
        while (buffer.remaining() >= Long.BYTES) {
            hash = mix(hash * STEP + buffer.getLong());
        }
        while (buffer.hasRemaining()) {
            hash = mix(hash * STEP + buffer.get());
        }
        return hash;
    }

    /** The finalizer of SplitMix64. */
    private static long mix(long value) {
        long mixed = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }
}
