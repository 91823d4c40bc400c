// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** A test that hangs fails with a report, and the other tests run. */
class DeadlineExtensionTest {

    private static final CountDownLatch NEVER = new CountDownLatch(1);

    /** Not run by Surefire, as it is a nested class without {@code @Nested}. */
    static final class Hanging {

        @Test
        void ignores_interrupts() {
            while (NEVER.getCount() > 0) {
                try {
                    NEVER.await();
                } catch (InterruptedException e) {
                    // As a call into the kernel would.
                }
            }
        }

        @Test
        void another() {
            assertThat(NEVER.getCount()).isOne();
        }

        @AfterEach
        void after() {
            assertThat(NEVER.getCount()).isOne();
        }
    }

    @Test
    void a_test_that_ignores_interrupts_fails_with_a_report_and_the_other_tests_run() throws Exception {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(Hanging.class))
                                .configurationParameter("culvert.deadline", "1")
                                .build(),
                        listener);

        assertThat(listener.getSummary().getTestsSucceededCount()).isOne();
        assertThat(listener.getSummary().getFailures()).hasSize(1);
        String message = String.valueOf(
                listener.getSummary().getFailures().getFirst().getException().getMessage());
        assertThat(message)
                .startsWith("Hanging.ignores_interrupts missed its deadline of 1 s\nevidence: ")
                .contains("at io.culvert.lab.DeadlineExtensionTest$Hanging.ignores_interrupts")
                .contains("process " + ProcessHandle.current().pid());
        Path evidence = Path.of(message.lines().toList().get(1).substring("evidence: ".length()));
        assertThat(evidence)
                .content()
                .contains("# threads", "# processes", "\"test\"", "ip -d address", "nft list ruleset");
        Files.delete(evidence);
    }
}
