// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import com.oracle.svm.core.annotate.Substitute;
import com.oracle.svm.core.annotate.TargetClass;

/**
 * Removes dnsjava's detection of the system's resolvers (Windows registry, Android, JNDI) from the native image:
 * servers are always set explicitly, and that code needs classes that are not available.
 */
@TargetClass(className = "org.xbill.DNS.ResolverConfig")
@SuppressWarnings("UnusedMethod") // The image builder puts these in place of the originals.
final class SystemResolverSubstitution {

    private SystemResolverSubstitution() {}

    @Substitute
    private static void checkInitialized() {}

    @Substitute
    public static void refresh() {}
}
