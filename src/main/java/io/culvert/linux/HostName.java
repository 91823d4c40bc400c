// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The name of this host; in a container, that of the container. */
public final class HostName {

    private HostName() {}

    /** Returns the host name (proc_sys_kernel(5)); empty if it cannot be read. */
    public static String read(Path root) {
        try {
            return Files.readString(root.resolve("proc/sys/kernel/hostname")).strip();
        } catch (IOException _) {
            return "";
        }
    }
}
