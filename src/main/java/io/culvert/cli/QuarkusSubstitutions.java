// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import com.oracle.svm.core.annotate.Substitute;
import com.oracle.svm.core.annotate.TargetClass;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.RuntimeValue;
import io.quarkus.runtime.logging.DiscoveredLogComponents;
import io.quarkus.runtime.logging.InheritableLevel;
import io.quarkus.runtime.logging.LoggingSetupRecorder;
import io.quarkus.runtime.shutdown.ShutdownListener;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.logging.Formatter;
import java.util.logging.Handler;

/**
 * Removes parts of Quarkus from the native image that this program never uses, but that its configuration could switch
 * on: they are a quarter of the program.
 */
final class QuarkusSubstitutions {

    private QuarkusSubstitutions() {}

    /** Handlers that log to the console, files, syslog and sockets, with TLS. */
    @TargetClass(LoggingSetupRecorder.class)
    static final class Logging {
        private Logging() {}

        @Substitute
        public ShutdownListener initializeLogging(
                DiscoveredLogComponents components,
                Map<String, InheritableLevel> levels,
                boolean stream,
                RuntimeValue<Optional<Handler>> console,
                List<RuntimeValue<Optional<Handler>>> handlers,
                List<RuntimeValue<Map<String, Handler>>> namedHandlers,
                List<RuntimeValue<Optional<Formatter>>> consoleFormatters,
                List<RuntimeValue<Optional<Formatter>>> fileFormatters,
                List<RuntimeValue<Optional<Formatter>>> syslogFormatters,
                List<RuntimeValue<Optional<Formatter>>> socketFormatters,
                RuntimeValue<Optional<Supplier<String>>> banner,
                LaunchMode mode,
                boolean filters) {
            return new ShutdownListener() {};
        }
    }

    /** Warnings of files in ./config. */
    @TargetClass(className = "io.quarkus.runtime.configuration.ConfigDiagnostic")
    static final class ConfigFiles {
        private ConfigFiles() {}

        @Substitute
        public static Set<Path> configFilesFromLocations() {
            return Set.of();
        }
    }
}
