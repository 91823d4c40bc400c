// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.linux.NativeImage;
import java.util.List;
import sun.misc.Signal;

/**
 * Handles SIGPIPE and SIGXFSZ, which terminate a process that writes to a closed pipe or socket, or beyond its file
 * size limit. Otherwise any process that can connect to one of Culvert's sockets and close the connection could
 * terminate the program.
 */
public final class WriteSignals {

    private WriteSignals() {}

    /**
     * Makes such a write fail with an error instead. A JVM has done so before {@code main}. The signals are caught and
     * not ignored: an ignored signal stays ignored in every program that is executed, a caught one is reset to its
     * default (execve(2)).
     */
    public static void reportAsErrors() {
        if (NativeImage.isRunning()) {
            for (String name : List.of("PIPE", "XFSZ")) {
                Signal.handle(new Signal(name), _ -> {});
            }
        }
    }
}
