package io.culvert.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Whether this program runs in a container, and the reason for that conclusion. The network namespace of a container
 * belongs to the programs in it, and the machine is not administered through it: so the kill switch is active before
 * the settings are read, and stays active when the program stops or refuses to start.
 *
 * @param reason for users, such as "the file /.dockerenv exists"
 */
public record Container(Found found, String reason) {

    /** The result of the detection. */
    public enum Found {
        CONTAINER,
        MACHINE,
        /** Undetermined: see {@link #present} and {@link #isCertain}. */
        DOUBT
    }

    /**
     * Returns whether the kill switch behaves as in a container. Undetermined counts as one: it must never open a kill
     * switch.
     */
    public boolean present() {
        return found != Found.MACHINE;
    }

    /**
     * Returns whether hints are those for a container. Undetermined counts as a machine: an option of a container
     * engine that is not there is useless, while a user in a container knows that it is one.
     */
    public boolean isCertain() {
        return found == Found.CONTAINER;
    }

    /** The setting that overrides the detection. */
    public static final String VARIABLE = "CULVERT_CONTAINER";

    /** The value of the setting. */
    public enum Choice {
        AUTO,
        TRUE,
        FALSE;

        /** Parses {@code auto} or a boolean word, surrounding white space ignored; empty if it is neither. */
        public static Optional<Choice> parse(String text) {
            return Optional.ofNullable(
                    switch (text.strip().toLowerCase(Locale.ROOT)) {
                        case "auto" -> AUTO;
                        case "true", "yes", "on", "1" -> TRUE;
                        case "false", "no", "off", "0" -> FALSE;
                        default -> null;
                    });
        }
    }

    /**
     * A file in Culvert's image. Not a variable, as an init such as s6-overlay starts its services with an empty
     * environment.
     */
    private static final String IMAGE = "usr/lib/culvert/container";

    /** Written by Podman and CRI-O; by Docker; by the kubelet. */
    private static final List<String> ENGINES =
            List.of("run/.containerenv", ".dockerenv", "var/run/secrets/kubernetes.io");

    /** Set by the kubelet in every container of a pod. */
    private static final String KUBERNETES = "KUBERNETES_SERVICE_HOST";

    /** Set by Podman, LXC and nspawn (https://systemd.io/CONTAINER_INTERFACE). */
    private static final String NAME_OF_ENGINE = "container";

    /**
     * Created by the init of a full system, also in a system container (LXC, Incus, nspawn): systemd, OpenRC, sysvinit,
     * WSL.
     */
    private static final List<String> SYSTEMS =
            List.of("run/systemd/system", "run/openrc", "run/initctl", "dev/initctl", "run/WSL");

    /** {@code PROC_PID_INIT_INO} and its like (include/linux/proc_ns.h). */
    private static final String MACHINES_PID = "pid:[4026531836]";

    private static final List<String> MACHINES = List.of(MACHINES_PID, "uts:[4026531838]", "ipc:[4026531839]");

    /**
     * Detects a container before the settings are read. A value that is invalid, or in a file, counts as true until
     * then. As for every setting, a blank value counts as unset.
     *
     * @param root {@code /} except in tests
     */
    public static Container beforeSettings(Map<String, String> environment, Path root) {
        String text = environment.getOrDefault(VARIABLE, "");
        boolean inFile = !environment.getOrDefault(VARIABLE + "_FILE", "").isBlank();
        if (text.isBlank() && !inFile) {
            return of(Choice.AUTO, environment, root);
        }
        Optional<Choice> said = inFile ? Optional.empty() : Choice.parse(text);
        return said.map(choice -> of(choice, environment, root)).orElseGet(() -> {
            boolean certain = of(Choice.AUTO, environment, root).isCertain();
            return new Container(certain ? Found.CONTAINER : Found.DOUBT, "the value of " + VARIABLE + " is not known");
        });
    }

    /** Detects a container, unless the setting decides. */
    public static Container of(Choice choice, Map<String, String> environment, Path root) {
        return of(choice, environment, root, ProcessHandle.current().pid());
    }

    static Container of(Choice choice, Map<String, String> environment, Path root, long pid) {
        return switch (choice) {
            case TRUE -> new Container(Found.CONTAINER, "set by " + VARIABLE);
            case FALSE -> new Container(Found.MACHINE, "set by " + VARIABLE);
            case AUTO -> detected(environment, root, pid);
        };
    }

    private static Container detected(Map<String, String> environment, Path root, long pid) {
        if (exists(root, IMAGE)) {
            return new Container(Found.CONTAINER, "the file /" + IMAGE + " exists");
        }
        if (pid == 1) {
            return new Container(Found.CONTAINER, "this is process 1");
        }
        // A machine may have been installed from a container image, with /.dockerenv in it.
        if (MACHINES.stream().allMatch(namespace -> isIn(root, namespace))) {
            return new Container(Found.MACHINE, "this process is in the machine's initial namespaces");
        }
        for (String file : ENGINES) {
            if (exists(root, file)) {
                return new Container(Found.CONTAINER, "/" + file + " exists");
            }
        }
        if (!environment.getOrDefault(KUBERNETES, "").isEmpty()) {
            return new Container(Found.CONTAINER, KUBERNETES + " is set");
        }
        if (isIn(root, MACHINES_PID)) {
            return new Container(Found.MACHINE, "this process is in the machine's initial PID namespace");
        }
        return SYSTEMS.stream()
                .filter(path -> exists(root, path))
                .findFirst()
                .map(path -> new Container(Found.MACHINE, "/" + path + " exists"))
                .orElseGet(() -> environment.getOrDefault(NAME_OF_ENGINE, "").isEmpty()
                        ? new Container(Found.DOUBT, "no init system was found in this PID namespace")
                        : new Container(Found.CONTAINER, "the variable " + NAME_OF_ENGINE + " is set"));
    }

    /** True if /proc is not mounted, as a container engine always mounts it. */
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
