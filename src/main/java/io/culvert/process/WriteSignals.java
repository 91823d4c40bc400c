package io.culvert.process;

import io.culvert.linux.NativeImage;
import java.util.List;
import sun.misc.Signal;

/**
 * The signals that end a process which writes to a pipe or socket that nobody reads, or beyond its file size limit. Any
 * process that can connect to one of our sockets and close it again could end the program by them.
 */
public final class WriteSignals {

    private WriteSignals() {}

    /**
     * Makes such a write an error like any other. A JVM has done so before {@code main}. The signals are caught and not
     * ignored: what is ignored stays ignored in every program that this one starts or becomes, what is caught is reset to
     * its default (execve(2)).
     */
    public static void reportAsErrors() {
        if (NativeImage.isRunning()) {
            for (String name : List.of("PIPE", "XFSZ")) {
                Signal.handle(new Signal(name), _ -> {});
            }
        }
    }
}
