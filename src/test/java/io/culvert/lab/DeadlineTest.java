package io.culvert.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** A test that hangs fails, says where, and holds nothing up. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class DeadlineTest {

    private static final CountDownLatch NEVER = new CountDownLatch(1);

    /** Not found by Surefire: nested and without the annotation for that. */
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
    void a_test_that_ignores_interrupts_fails_with_evidence_and_the_others_go_on() throws Exception {
        SummaryGeneratingListener heard = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(Hanging.class))
                                .configurationParameter("culvert.deadline", "1")
                                .build(),
                        heard);

        assertThat(heard.getSummary().getTestsSucceededCount()).isOne();
        assertThat(heard.getSummary().getFailures()).hasSize(1);
        String message = String.valueOf(
                heard.getSummary().getFailures().getFirst().getException().getMessage());
        assertThat(message)
                .startsWith("Hanging.ignores_interrupts missed its deadline of 1 s\nevidence: ")
                .contains("at io.culvert.lab.DeadlineTest$Hanging.ignores_interrupts")
                .contains("process " + ProcessHandle.current().pid());
        Path evidence = Path.of(message.lines().toList().get(1).substring("evidence: ".length()));
        assertThat(evidence)
                .content()
                .contains("# threads", "# processes", "\"test\"", "ip -d address", "nft list ruleset");
        Files.delete(evidence);
    }
}
