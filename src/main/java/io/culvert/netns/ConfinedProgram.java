// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.ProblemException;
import io.culvert.diagnostics.Problems;
import io.culvert.linux.Account;
import io.culvert.linux.Mounts;
import io.culvert.linux.OwnProcess;
import io.culvert.linux.Privileges;
import io.culvert.linux.ProcessReplacement;
import io.culvert.linux.SystemCallException;
import io.culvert.process.OwnProgram;
import io.culvert.runtime.Environment;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Runs a program in a namespace whose only connection is a tunnel. This process becomes the program (execve), so that
 * terminal, signals and exit status are the program's own.
 */
public final class ConfinedProgram {

    private final Environment environment;
    private final OwnProgram ownProgram;
    private final Namespaces namespaces;
    private final ProcessReplacement program;

    /**
     * Prepares the program from the command line of this process.
     *
     * @param wordCount how many of the last words of the command line are the program and its arguments
     */
    public ConfinedProgram(Environment environment, OwnProgram ownProgram, Namespaces namespaces, int wordCount)
            throws IOException {
        this.environment = environment;
        this.ownProgram = ownProgram;
        this.namespaces = namespaces;
        List<byte[]> line = OwnProcess.commandLine();
        this.program =
                new ProcessReplacement(line.subList(line.size() - wordCount, line.size()), OwnProcess.environment());
    }

    /**
     * Runs the program; returns only if it could not be started.
     *
     * @param user the name of the user that the program runs as
     * @return 127 if there is no such program, 126 if it cannot be executed
     */
    public int run(String namespace, Optional<NamespaceRequest> request, Optional<String> user)
            throws InterruptedException {
        boolean rootless = Rootless.isNeeded(environment);
        if (rootless) {
            refuseUserOption(user);
        }
        Optional<Account> account = user.map(ConfinedProgram::requireAccount);
        if (!program.programExists()) {
            return reportFailure(ProcessReplacement.NOT_FOUND);
        }
        if (rootless) {
            Problems problems = new Problems();
            problems.addAll(Rootless.missingRequirements(environment));
            problems.throwIfErrors();
        }
        NamespaceHandle handle = namespaces.join(namespace, request);
        if (handle.rootless()) {
            Rootless.enter(ownProgram, handle.response(), program);
        }
        // The thread that starts the program enters the namespaces; this thread stays outside.
        FutureTask<Integer> start = new FutureTask<>(() -> start(handle, account));
        Thread.ofPlatform().name("program").start(start);
        try {
            return reportFailure(start.get());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SystemCallException refused) {
                throw new ProblemException(Problem.machine(
                        Location.machine(namespace),
                        "cannot be entered: " + refused.getMessage(),
                        "run Culvert as root"));
            }
            throw e.getCause() instanceof RuntimeException responseJson
                    ? responseJson
                    : new IllegalStateException(e.getCause());
        }
    }

    private int start(NamespaceHandle handle, Optional<Account> account) throws IOException {
        handle.namespace().enter();
        Mounts.unshare();
        handle.resolverFiles().mount();
        OwnProcess.reenterWorkingDirectory();
        return account.map(
                        it -> program.with(List.of("HOME=" + it.home(), "USER=" + it.name(), "LOGNAME=" + it.name())))
                .orElse(program)
                .become(account);
    }

    /**
     * Continues inside the user namespace that {@link Rootless} has moved this process to.
     *
     * @param response of the namespace daemon, as JSON
     */
    public int runInsideUserNamespace(String response) throws IOException {
        JsonObject responseJson;
        try (var reader = Json.createReader(new StringReader(response))) {
            responseJson = reader.readObject();
        }
        // Capabilities are per thread: the thread that drops them has to be the one that becomes the program.
        NamespaceHandle.of(responseJson).resolverFiles().mount();
        OwnProcess.reenterWorkingDirectory();
        Privileges.NONE.applyToThread();
        return reportFailure(program.become(Optional.empty()));
    }

    private static void refuseUserOption(Optional<String> user) {
        user.ifPresent(name -> {
            throw new ProblemException(Problem.input(
                    new Location.CommandLine("--user " + name), "only root can change the user", "omit this option"));
        });
    }

    private int reportFailure(int status) {
        environment
                .log()
                .error(program.name() + ": "
                        + (status == ProcessReplacement.NOT_FOUND ? "no such program" : "cannot be executed"));
        return status;
    }

    private static Account requireAccount(String name) {
        return Account.find(name)
                .orElseThrow(() -> new ProblemException(Problem.input(
                        new Location.CommandLine("--user " + name),
                        "no such user",
                        "use a user that 'getent passwd' lists")));
    }
}
