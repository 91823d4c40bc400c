package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.process.ChildEvent;
import io.culvert.run.Journal;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ChildNewsTest {

    private final StringWriter told = new StringWriter();
    private final ChildNews news = new ChildNews(new Journal(new PrintWriter(told)), _ -> false);

    @Test
    void a_child_that_says_the_same_over_and_over_is_heard_once() {
        for (int second = 10; second < 60; second++) {
            news.heard(new ChildEvent.Said("wg", "15:00:" + second + " error: cannot send"));
        }
        news.heard(new ChildEvent.Said("other", "15:01:00 error: cannot send"));
        news.heard(new ChildEvent.Said("wg", "error: another one"));
        news.heard(new ChildEvent.Said("wg", "15:02:00 error: cannot send"));

        assertThat(told.toString().lines()).hasSize(4);
    }

    @Test
    void an_end_that_nobody_asked_for_is_a_reason_to_look_and_to_warn() {
        assertThat(news.heard(new ChildEvent.Ended("wg", 137, false, List.of())))
                .isTrue();

        assertThat(told.toString())
                .contains("warn: wg: exited unexpectedly with status 137; the kill switch stays active");
        assertThat(news.doing()).containsEntry("wg", "exited with status 137");
    }
}
