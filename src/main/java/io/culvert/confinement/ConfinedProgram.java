package io.culvert.confinement;

import io.culvert.linux.Account;
import io.culvert.linux.Mounts;
import io.culvert.linux.OwnProcess;
import io.culvert.linux.Privileges;
import io.culvert.linux.Replacement;
import io.culvert.linux.SystemCallException;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.ProblemException;
import io.culvert.problem.Problems;
import io.culvert.process.OwnProgram;
import io.culvert.run.Surroundings;
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

    private final Surroundings around;
    private final OwnProgram own;
    private final Namespaces namespaces;
    private final Replacement program;

    /**
     * Prepares the program from the command line of this process.
     *
     * @param words how many of the last words of the command line are the program and its arguments
     */
    public ConfinedProgram(Surroundings around, OwnProgram own, Namespaces namespaces, int words) throws IOException {
        this.around = around;
        this.own = own;
        this.namespaces = namespaces;
        List<byte[]> line = OwnProcess.commandLine();
        this.program = new Replacement(line.subList(line.size() - words, line.size()), OwnProcess.environment());
    }

    /**
     * Runs the program; returns only if it could not be started.
     *
     * @param user the name of the user that the program runs as
     * @return 127 if there is no such program, 126 if it cannot be executed
     */
    public int run(String namespace, Optional<Wish> wish, Optional<String> user) throws InterruptedException {
        boolean rootless = Rootless.applies(around);
        if (rootless) {
            refuse(user);
        }
        Optional<Account> account = user.map(ConfinedProgram::account);
        if (!program.isThere()) {
            return tell(Replacement.NOT_FOUND);
        }
        if (rootless) {
            Problems problems = new Problems();
            problems.addAll(Rootless.missing(around));
            problems.throwIfErrors();
        }
        Entrance entrance = namespaces.join(namespace, wish);
        if (entrance.rootless()) {
            Rootless.enter(own, entrance.answer(), program);
        }
        // The thread that starts the program enters the namespaces; this thread stays outside.
        FutureTask<Integer> start = new FutureTask<>(() -> start(entrance, account));
        Thread.ofPlatform().name("program").start(start);
        try {
            return tell(start.get());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SystemCallException refused) {
                throw new ProblemException(Problem.machine(
                        Place.machine(namespace), "cannot be entered: " + refused.getMessage(), "run Culvert as root"));
            }
            throw e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e.getCause());
        }
    }

    private int start(Entrance entrance, Optional<Account> account) throws IOException {
        entrance.space().enter();
        Mounts.unshare();
        entrance.names().show();
        OwnProcess.returnToWorkingDirectory();
        return account.map(
                        it -> program.with(List.of("HOME=" + it.home(), "USER=" + it.name(), "LOGNAME=" + it.name())))
                .orElse(program)
                .become(account);
    }

    /**
     * Continues inside the user namespace that {@link Rootless} has moved this process to.
     *
     * @param answer of the namespace daemon, as JSON
     */
    public int goOn(String answer) throws IOException {
        JsonObject known;
        try (var reader = Json.createReader(new StringReader(answer))) {
            known = reader.readObject();
        }
        // Capabilities are per thread: the thread that drops them has to be the one that becomes the program.
        Entrance.of(known).names().show();
        OwnProcess.returnToWorkingDirectory();
        Privileges.NONE.take();
        return tell(program.become(Optional.empty()));
    }

    private static void refuse(Optional<String> user) {
        user.ifPresent(name -> {
            throw new ProblemException(Problem.input(
                    new Place.CommandLine("--user " + name), "only root can change the user", "omit this option"));
        });
    }

    private int tell(int status) {
        around.journal()
                .error(program.name() + ": "
                        + (status == Replacement.NOT_FOUND ? "no such program" : "cannot be executed"));
        return status;
    }

    private static Account account(String name) {
        return Account.named(name)
                .orElseThrow(() -> new ProblemException(Problem.input(
                        new Place.CommandLine("--user " + name),
                        "no such user",
                        "use a user that 'getent passwd' lists")));
    }
}
