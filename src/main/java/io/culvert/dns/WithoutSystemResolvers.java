package io.culvert.dns;

import com.oracle.svm.core.annotate.Substitute;
import com.oracle.svm.core.annotate.TargetClass;

/**
 * Keeps dnsjava's look for the system's resolvers (in the registry of Windows, in Android, by JNDI) out of the native image:
 * whom to ask is always said here, and those classes need others that are not there.
 */
@TargetClass(className = "org.xbill.DNS.ResolverConfig")
@SuppressWarnings("UnusedMethod") // The image builder puts these in place of the originals.
final class WithoutSystemResolvers {

    private WithoutSystemResolvers() {}

    @Substitute
    private static void checkInitialized() {}

    @Substitute
    public static void refresh() {}
}
