// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.DynamicTestInvocationContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Fails every test, setup and teardown at a deadline: that of its level (the property {@code culvert.deadline}, in seconds), or
 * its own {@link Timeout}. A {@link TimeoutReport} is written then. The test's thread is interrupted and abandoned, since it may
 * be in a call that cannot be interrupted; the following tests run on a new thread.
 */
public final class DeadlineExtension implements InvocationInterceptor {

    private static final int DEFAULT_SECONDS = 180;

    /** The worker of each JUnit thread: setup and test run on the same thread, as without deadlines. */
    private static final ThreadLocal<@Nullable Worker> WORKER = new ThreadLocal<>();

    /** A thread that can be abandoned. */
    private record Worker(Thread thread, ExecutorService executor) {

        static Worker start() {
            CompletableFuture<Thread> thread = new CompletableFuture<>();
            ExecutorService executor = Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("test").factory());
            executor.execute(() -> thread.complete(Thread.currentThread()));
            return new Worker(thread.join(), executor);
        }
    }

    private static Worker worker() {
        Worker current = WORKER.get();
        if (current == null) {
            current = Worker.start();
            WORKER.set(current);
        }
        return current;
    }

    private static <T extends @Nullable Object> T runWithDeadline(
            String testName, ExtensionContext context, Invocation<T> invocation) throws Throwable {
        Worker worker = worker();
        CompletableFuture<T> result = new CompletableFuture<>();
        worker.thread().setContextClassLoader(Thread.currentThread().getContextClassLoader());
        worker.executor().execute(() -> {
            try {
                result.complete(invocation.proceed());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        Duration deadline = deadline(context);
        try {
            return result.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() == null ? e : e.getCause();
        } catch (TimeoutException _) {
            String report = TimeoutReport.write(testName, worker.thread());
            worker.executor().shutdownNow();
            WORKER.remove();
            throw new AssertionError(testName + " missed its deadline of " + deadline.toSeconds() + " s\n" + report);
        }
    }

    private static Duration deadline(ExtensionContext context) {
        return context.getElement()
                .flatMap(element -> AnnotationSupport.findAnnotation(element, Timeout.class))
                .or(() -> context.getTestClass().flatMap(type -> AnnotationSupport.findAnnotation(type, Timeout.class)))
                .map(timeout -> Duration.of(timeout.value(), timeout.unit().toChronoUnit()))
                .orElseGet(() -> ScaledTimeout.of(
                        Duration.ofSeconds(context.getConfigurationParameter("culvert.deadline", Integer::valueOf)
                                .orElse(DEFAULT_SECONDS))));
    }

    private static String name(ExtensionContext context, String method) {
        return context.getTestClass().map(Class::getSimpleName).orElse("") + "." + method;
    }

    @Override
    public <T> T interceptTestClassConstructor(
            Invocation<T> invocation, ReflectiveInvocationContext<Constructor<T>> call, ExtensionContext context)
            throws Throwable {
        return runWithDeadline(call.getTargetClass().getSimpleName(), context, invocation);
    }

    @Override
    public void interceptBeforeAllMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        interceptMethod(invocation, call, context);
    }

    @Override
    public void interceptBeforeEachMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        interceptMethod(invocation, call, context);
    }

    @Override
    public void interceptTestMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        interceptMethod(invocation, call, context);
    }

    @Override
    public <T extends @Nullable Object> T interceptTestFactoryMethod(
            Invocation<T> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        return runWithDeadline(name(context, call.getExecutable().getName()), context, invocation);
    }

    @Override
    public void interceptTestTemplateMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        interceptMethod(invocation, call, context);
    }

    @Override
    public void interceptDynamicTest(
            Invocation<@Nullable Void> invocation, DynamicTestInvocationContext call, ExtensionContext context)
            throws Throwable {
        runWithDeadline(name(context, context.getDisplayName()), context, invocation);
    }

    @Override
    public void interceptAfterEachMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        interceptMethod(invocation, call, context);
    }

    @Override
    public void interceptAfterAllMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        interceptMethod(invocation, call, context);
    }

    private static void interceptMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        runWithDeadline(name(context, call.getExecutable().getName()), context, invocation);
    }
}
