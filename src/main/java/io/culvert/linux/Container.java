package io.culvert.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Whether this program runs in a container, and why that is assumed. The network namespace of a container belongs to the
 * programs in it, and no person reaches the machine through it: so the kill switch is active before the settings are read,
 * and stays active when the program stops or refuses to start.
 *
 * @param present false on a machine
 * @param reason for people, such as "the file /.dockerenv exists"
 */
public record Container(boolean present, String reason) {

    /** The setting that decides. */
    public static final String VARIABLE = "CULVERT_CONTAINER";

    /** What the user says of it. */
    public enum Choice {
        AUTO,
        TRUE,
        FALSE;

        /** The words of any other yes or no, and {@code auto}; empty for what is neither. */
        public static Optional<Choice> parse(String text) {
            return Optional.ofNullable(
                    switch (text.toLowerCase(Locale.ROOT)) {
                        case "auto" -> AUTO;
                        case "true", "yes", "on", "1" -> TRUE;
                        case "false", "no", "off", "0" -> FALSE;
                        default -> null;
                    });
        }
    }

    /** In Culvert's own image. A file, because an init such as s6-overlay starts its services with an empty environment. */
    private static final String IMAGE = "usr/lib/culvert/container";

    /** Written by Podman and CRI-O; by Docker; by the kubelet. */
    private static final List<String> ENGINES =
            List.of("run/.containerenv", ".dockerenv", "var/run/secrets/kubernetes.io");

    /** Set by the kubelet in every container of a pod. */
    private static final String KUBERNETES = "KUBERNETES_SERVICE_HOST";

    /** Made by the init of a whole system, in a system container (LXC, Incus, nspawn) as well: systemd, OpenRC, sysvinit, WSL. */
    private static final List<String> SYSTEMS =
            List.of("run/systemd/system", "run/openrc", "run/initctl", "dev/initctl", "run/WSL");

    /** {@code PROC_PID_INIT_INO} and its like (include/linux/proc_ns.h). */
    private static final String MACHINES_PID = "pid:[4026531836]";

    private static final List<String> MACHINES = List.of(MACHINES_PID, "uts:[4026531838]", "ipc:[4026531839]");

    /**
     * Before the settings are read: one that cannot be understood, or that is in a file, counts as true until it is.
     *
     * @param root {@code /} but in tests
     */
    public static Container beforeSettings(Map<String, String> environment, Path root) {
        String text = environment.getOrDefault(VARIABLE, "");
        if (text.isEmpty() && environment.getOrDefault(VARIABLE + "_FILE", "").isEmpty()) {
            return of(Choice.AUTO, environment, root);
        }
        return Choice.parse(text)
                .map(choice -> of(choice, environment, root))
                .orElseGet(() -> new Container(true, "the value of " + VARIABLE + " is not known"));
    }

    /** @param root {@code /} but in tests */
    public static Container of(Choice choice, Map<String, String> environment, Path root) {
        return of(choice, environment, root, ProcessHandle.current().pid());
    }

    static Container of(Choice choice, Map<String, String> environment, Path root, long pid) {
        return switch (choice) {
            case TRUE -> new Container(true, VARIABLE + " says so");
            case FALSE -> new Container(false, VARIABLE + " says so");
            case AUTO -> detected(environment, root, pid);
        };
    }

    private static Container detected(Map<String, String> environment, Path root, long pid) {
        if (isImage(root)) {
            return new Container(true, "the file /" + IMAGE + " exists");
        }
        if (pid == 1) {
            return new Container(true, "this is process 1");
        }
        // A machine may have been made of a container's image, with /.dockerenv in it.
        if (MACHINES.stream().allMatch(namespace -> isIn(root, namespace))) {
            return new Container(false, "these are the machine's own namespaces");
        }
        for (String file : ENGINES) {
            if (exists(root, file)) {
                return new Container(true, "/" + file + " exists");
            }
        }
        if (!environment.getOrDefault(KUBERNETES, "").isEmpty()) {
            return new Container(true, KUBERNETES + " is set");
        }
        if (isIn(root, MACHINES_PID)) {
            return new Container(false, "this is the machine's own process namespace");
        }
        return SYSTEMS.stream()
                .filter(path -> exists(root, path))
                .findFirst()
                .map(path -> new Container(false, "/" + path + " exists"))
                .orElseGet(() -> new Container(true, "this process namespace has no init of a machine"));
    }

    /**
     * Whether the file system is that of Culvert's own image.
     *
     * @param root {@code /} but in tests
     */
    public static boolean isImage(Path root) {
        return exists(root, IMAGE);
    }

    /** Without /proc, no engine has started this. */
    private static boolean isIn(Path root, String namespace) {
        try {
            String kind = namespace.substring(0, namespace.indexOf(':'));
            return Files.readSymbolicLink(root.resolve("proc/self/ns").resolve(kind))
                    .toString()
                    .equals(namespace);
        } catch (IOException _) {
            return true;
        }
    }

    private static boolean exists(Path root, String path) {
        return Files.exists(root.resolve(path));
    }
}
