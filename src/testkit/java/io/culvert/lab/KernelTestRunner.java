// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Runs the tests tagged {@code kernel} or {@code guest} in a virtual machine without Maven. Prints a line for each, which
 * {@link KernelLabTest} reads: {@code test}, outcome, name, and the reason in base64, separated by tabs.
 */
public final class KernelTestRunner implements TestExecutionListener {

    private KernelTestRunner() {}

    /** @param classes to search */
    public static void main(String[] classes) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(Arrays.stream(classes)
                        .map(DiscoverySelectors::selectClass)
                        .toList())
                .filters(TagFilter.includeTags("kernel", "guest"))
                .build();
        LauncherFactory.create().execute(request, new KernelTestRunner());
        System.exit(0);
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
        report("skipped", test, reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        boolean passed = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
        if (test.isTest() || !passed) {
            StringWriter reason = new StringWriter();
            result.getThrowable().ifPresent(throwable -> throwable.printStackTrace(new PrintWriter(reason)));
            String outcome =
                    passed ? "passed" : result.getStatus() == TestExecutionResult.Status.ABORTED ? "skipped" : "failed";
            report(outcome, test, reason.toString());
        }
    }

    private static void report(String outcome, TestIdentifier test, String reason) {
        String group = test.getParentIdObject()
                .map(id -> id.getLastSegment().getValue())
                .orElse("");
        System.out.printf(
                "test\t%s\t%s: %s\t%s%n",
                outcome,
                group.substring(group.lastIndexOf('.') + 1),
                test.getDisplayName(),
                Base64.getEncoder().encodeToString(reason.getBytes(StandardCharsets.UTF_8)));
    }
}
