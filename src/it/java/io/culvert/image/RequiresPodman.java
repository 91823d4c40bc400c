// SPDX-License-Identifier: Apache-2.0
package io.culvert.image;

import io.culvert.lab.ContainerTest;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A test of the level {@code container}: needs the image, and rootless Podman for Testcontainers. If one of them is missing,
 * {@code src/test/container/bin/java} sets a variable with the reason, and the test is skipped.
 */
@ContainerTest
@ExtendWith(RequiresPodman.PodmanAvailable.class)
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface RequiresPodman {

    /** Reads the variable that {@code src/test/container/bin/java} sets. */
    final class PodmanAvailable implements ExecutionCondition {

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return Optional.ofNullable(System.getenv("CULVERT_NO_CONTAINERS"))
                    .map(ConditionEvaluationResult::disabled)
                    .orElseGet(() -> ConditionEvaluationResult.enabled("Podman and the image are available"));
        }
    }
}
