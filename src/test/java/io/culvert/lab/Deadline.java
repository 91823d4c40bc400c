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
 * Ends every test, and whatever is done before and after it, at a deadline: that of its level (the property {@code
 * culvert.deadline}, in seconds), or its own {@link Timeout}. What is the case then is kept as {@link Evidence}. The test's
 * thread is interrupted and left behind, since it may wait where no interrupt reaches; the tests after it go on.
 */
public final class Deadline implements InvocationInterceptor {

    private static final int USUAL_SECONDS = 180;

    /** By the thread on which JUnit calls: what is done before a test is on the test's thread, as without deadlines. */
    private static final ThreadLocal<@Nullable Worker> WORKER = new ThreadLocal<>();

    /** A thread that can be given up. */
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

    private static <T extends @Nullable Object> T within(
            String what, ExtensionContext context, Invocation<T> invocation) throws Throwable {
        Worker runs = worker();
        CompletableFuture<T> result = new CompletableFuture<>();
        runs.thread().setContextClassLoader(Thread.currentThread().getContextClassLoader());
        runs.executor().execute(() -> {
            try {
                result.complete(invocation.proceed());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        Duration deadline = of(context);
        try {
            return result.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() == null ? e : e.getCause();
        } catch (TimeoutException _) {
            String evidence = Evidence.keep(what, runs.thread());
            runs.executor().shutdownNow();
            WORKER.remove();
            throw new AssertionError(what + " missed its deadline of " + deadline.toSeconds() + " s\n" + evidence);
        }
    }

    private static Duration of(ExtensionContext context) {
        return context.getElement()
                .flatMap(element -> AnnotationSupport.findAnnotation(element, Timeout.class))
                .or(() -> context.getTestClass().flatMap(it -> AnnotationSupport.findAnnotation(it, Timeout.class)))
                .map(timeout -> Duration.of(timeout.value(), timeout.unit().toChronoUnit()))
                .orElseGet(() -> Patience.of(
                        Duration.ofSeconds(context.getConfigurationParameter("culvert.deadline", Integer::valueOf)
                                .orElse(USUAL_SECONDS))));
    }

    private static String name(ExtensionContext context, String method) {
        return context.getTestClass().map(Class::getSimpleName).orElse("") + "." + method;
    }

    @Override
    public <T> T interceptTestClassConstructor(
            Invocation<T> invocation, ReflectiveInvocationContext<Constructor<T>> call, ExtensionContext context)
            throws Throwable {
        return within(call.getTargetClass().getSimpleName(), context, invocation);
    }

    @Override
    public void interceptBeforeAllMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        method(invocation, call, context);
    }

    @Override
    public void interceptBeforeEachMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        method(invocation, call, context);
    }

    @Override
    public void interceptTestMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        method(invocation, call, context);
    }

    @Override
    public <T extends @Nullable Object> T interceptTestFactoryMethod(
            Invocation<T> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        return within(name(context, call.getExecutable().getName()), context, invocation);
    }

    @Override
    public void interceptTestTemplateMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        method(invocation, call, context);
    }

    @Override
    public void interceptDynamicTest(
            Invocation<@Nullable Void> invocation, DynamicTestInvocationContext call, ExtensionContext context)
            throws Throwable {
        within(name(context, context.getDisplayName()), context, invocation);
    }

    @Override
    public void interceptAfterEachMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        method(invocation, call, context);
    }

    @Override
    public void interceptAfterAllMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        method(invocation, call, context);
    }

    private static void method(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> call, ExtensionContext context)
            throws Throwable {
        within(name(context, call.getExecutable().getName()), context, invocation);
    }
}
