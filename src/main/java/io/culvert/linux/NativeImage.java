// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.io.IOException;
import java.nio.file.Path;

/** Set-up that a native executable needs, as opposed to a program run by a JVM. */
public final class NativeImage {

    private NativeImage() {}

    /** Returns whether this is a native executable. */
    public static boolean isRunning() {
        return System.getProperty("org.graalvm.nativeimage.imagecode") != null;
    }

    /**
     * Makes JNA load its own library from the directory of the executable: otherwise it would unpack it into a
     * temporary directory, which a read-only container does not have. To be called before JNA is used.
     */
    public static void loadLibrariesFromOwnDirectory() {
        if (!isRunning()) {
            return;
        }
        try {
            // Not by ProcessHandle.info(): that looks up the user's name, possibly from a service or over the
            // network (nsswitch.conf(5)), and this runs before the kill switch is active.
            Path directory = Path.of("/proc/self/exe").toRealPath().getParent();
            System.setProperty("jna.boot.library.path", String.valueOf(directory));
            System.setProperty("jna.nounpack", "true");
            System.setProperty("jna.nosys", "true");
            // Otherwise JNA runs ldconfig to find libraries.
            System.setProperty(
                    "jna.platform.library.path",
                    "/usr/lib/x86_64-linux-gnu:/usr/lib/aarch64-linux-gnu:/usr/lib64:/usr/lib");
        } catch (IOException _) {
            // /proc is not mounted: JNA reports what it cannot find.
        }
    }
}
