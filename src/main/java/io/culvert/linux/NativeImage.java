package io.culvert.linux;

import java.io.IOException;
import java.nio.file.Path;

/** What differs when this program is a native executable and not run by a JVM. */
public final class NativeImage {

    private NativeImage() {}

    /** Whether this is a native executable. */
    public static boolean isRunning() {
        return System.getProperty("org.graalvm.nativeimage.imagecode") != null;
    }

    /**
     * Tells JNA to take its own library from beside the executable: it would unpack it into a temporary directory
     * otherwise, which a read-only container does not have. To be called before anything of JNA's.
     */
    public static void useLibraryBesideExecutable() {
        if (!isRunning()) {
            return;
        }
        try {
            // Not by ProcessHandle.info(): that looks up the user's name, which may be asked of a service or of the
            // network (nsswitch.conf(5)), and this comes before the kill switch.
            Path directory = Path.of("/proc/self/exe").toRealPath().getParent();
            System.setProperty("jna.boot.library.path", String.valueOf(directory));
            System.setProperty("jna.nounpack", "true");
            System.setProperty("jna.nosys", "true");
            // Else JNA runs ldconfig to learn where libraries are.
            System.setProperty(
                    "jna.platform.library.path",
                    "/usr/lib/x86_64-linux-gnu:/usr/lib/aarch64-linux-gnu:/usr/lib64:/usr/lib");
        } catch (IOException _) {
            // Without /proc: JNA says what it cannot find.
        }
    }
}
