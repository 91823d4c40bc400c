// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.linux.NativeImage;
import io.quarkus.runtime.Application;
import io.quarkus.runtime.annotations.StaticInitSafe;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.SmallRyeConfigBuilderCustomizer;

/**
 * Starts Quarkus with the configuration that it was built with, and nothing else: neither variables such as {@code
 * QUARKUS_INIT_AND_EXIT} nor files of the working directory belong to this program.
 *
 * <p>Quarkus' own start, {@code Quarkus.run}, is not used: it adds a shutdown hook, which would run beside the main
 * thread's cleanup, and looks for the application among the beans.
 */
@StaticInitSafe
public final class QuarkusRuntime implements SmallRyeConfigBuilderCustomizer {

    /** False while Quarkus builds the program, which reads its configuration in the same way. */
    private static boolean started;

    static void start(String... args) throws ReflectiveOperationException {
        started = true;
        Class<?> application = Class.forName(Application.APP_CLASS_NAME);
        // Quarkus would warn of files in ./config, and fail if it may not list them.
        String directory = System.getProperty("user.dir");
        if (!NativeImage.isRunning()) {
            System.setProperty("user.dir", "/dev/null");
        }
        ((Application) application.getDeclaredConstructor().newInstance()).start(args);
        System.setProperty("user.dir", directory);
    }

    @Override
    public void configBuilder(SmallRyeConfigBuilder builder) {
        if (started) {
            builder.setAddDefaultSources(false)
                    .setAddSystemSources(false)
                    .setAddPropertiesSources(false)
                    .setAddDiscoveredSources(false);
        }
    }

    /** After those of Quarkus, which add sources. */
    @Override
    public int priority() {
        return Integer.MAX_VALUE;
    }
}
