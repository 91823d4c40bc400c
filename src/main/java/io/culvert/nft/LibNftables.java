// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.NetlinkProtocol;
import java.util.Optional;

/**
 * libnftables(3) through JNA's direct mapping; a context is a pointer in a {@code long}. It is loaded when it is used,
 * for the syntax of the user's own rules: Culvert's tables do not need it.
 */
final class LibNftables {

    private static final String LIBRARY = "libnftables.so.1";

    private LibNftables() {}

    /**
     * Runs commands in nft's syntax, as one transaction, in the network namespace of the calling thread.
     *
     * @return the library's error; empty on success
     * @throws ProblemException of kind MACHINE if the library is not installed or the kernel has no netfilter
     */
    static Optional<String> run(String commands) {
        return run(LIBRARY, commands);
    }

    static Optional<String> run(String library, String commands) {
        load(library);
        // Checked first, because the library ends the whole process if the socket cannot be opened.
        int errno = NetlinkProtocol.checkSupport(NetlinkProtocol.NETFILTER);
        if (errno != 0) {
            throw new ProblemException(NftSupport.netfilterMissing(errno));
        }
        long context = nft_ctx_new(0);
        try {
            nft_ctx_buffer_output(context);
            nft_ctx_buffer_error(context);
            if (nft_run_cmd_from_buffer(context, commands) == 0) {
                return Optional.empty();
            }
            String errors = nft_ctx_get_error_buffer(context);
            return Optional.of(errors == null ? "" : errors);
        } finally {
            nft_ctx_free(context);
        }
    }

    private static synchronized void load(String library) {
        try {
            NativeLibrary nativeLibrary = NativeLibrary.getInstance(library);
            if (!Native.registered(LibNftables.class)) {
                Native.register(LibNftables.class, nativeLibrary);
            }
        } catch (UnsatisfiedLinkError e) {
            ProblemException problem = new ProblemException(Problem.machine(
                    Location.machine(library),
                    "not installed, but needed for rules in nft's syntax",
                    "install libnftables (Debian: libnftables1); Culvert's image does not have it"));
            problem.initCause(e);
            throw problem;
        }
    }

    private static native long nft_ctx_new(int flags);

    private static native void nft_ctx_free(long context);

    private static native int nft_ctx_buffer_output(long context);

    private static native int nft_ctx_buffer_error(long context);

    private static native String nft_ctx_get_error_buffer(long context);

    private static native int nft_run_cmd_from_buffer(long context, String commands);
}
