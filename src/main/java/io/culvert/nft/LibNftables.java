// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;

/**
 * libnftables(3) through JNA's direct mapping; a context is a pointer in a {@code long}. A class of its own, because
 * the registration fails as a whole if the library is missing.
 */
final class LibNftables {

    /** {@code NFT_CTX_OUTPUT_JSON} (nftables/libnftables.h). */
    static final int OUTPUT_JSON = 1 << 4;

    /** {@code NFT_CTX_OUTPUT_NUMERIC_ALL}: protocols, priorities, symbols and times (nftables/libnftables.h). */
    static final int OUTPUT_NUMERIC = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10;

    private LibNftables() {}

    /** @throws UnsatisfiedLinkError if the library is not installed, or lacks a function */
    static synchronized void load(String library) {
        NativeLibrary nativeLibrary = NativeLibrary.getInstance(library);
        if (!Native.registered(LibNftables.class)) {
            Native.register(LibNftables.class, nativeLibrary);
        }
    }

    static native long nft_ctx_new(int flags);

    static native void nft_ctx_free(long context);

    static native void nft_ctx_output_set_flags(long context, int flags);

    static native int nft_ctx_buffer_output(long context);

    static native int nft_ctx_buffer_error(long context);

    static native String nft_ctx_get_output_buffer(long context);

    static native String nft_ctx_get_error_buffer(long context);

    static native int nft_run_cmd_from_buffer(long context, String commands);
}
