// SPDX-License-Identifier: Apache-2.0
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
public record Container(Kind kind, String reason) {

    /** The result of the detection. */
    public enum Kind {
        CONTAINER,
        MACHINE,
        /** Undetermined: see {@link #present} and {@link #isCertain}. */
        UNDETERMINED
    }

    /**
     * Returns whether the kill switch behaves as in a container. Undetermined counts as one, so that a failed detection never
     * deactivates a kill switch.
     */
    public boolean present() {
        return kind != Kind.MACHINE;
    }

    /**
     * Returns whether hints are those for a container. Undetermined counts as a machine: an option of a container
     * engine that is not there is useless, while a user in a container knows that it is one.
     */
    public boolean isCertain() {
        return kind == Kind.CONTAINER;
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
    private static final String IMAGE_MARKER = "usr/lib/culvert/container";

    /** Written by Podman and CRI-O; by Docker; by the kubelet. */
    private static final List<String> ENGINE_FILES =
            List.of("run/.containerenv", ".dockerenv", "var/run/secrets/kubernetes.io");

    /** Set by the kubelet in every container of a pod. */
    private static final String KUBERNETES_VARIABLE = "KUBERNETES_SERVICE_HOST";

    /** The variable that names the engine, set by Podman, LXC and nspawn (https://systemd.io/CONTAINER_INTERFACE). */
    private static final String ENGINE_VARIABLE = "container";

    /**
     * Created by the init of a full system, also in a system container (LXC, Incus, nspawn): systemd, OpenRC, sysvinit,
     * WSL.
     */
    private static final List<String> INIT_SYSTEM_FILES =
            List.of("run/systemd/system", "run/openrc", "run/initctl", "dev/initctl", "run/WSL");

    /** {@code PROC_PID_INIT_INO} and its like (include/linux/proc_ns.h). */
    private static final String INITIAL_PID_NAMESPACE = "pid:[4026531836]";

    private static final List<String> INITIAL_NAMESPACES =
            List.of(INITIAL_PID_NAMESPACE, "uts:[4026531838]", "ipc:[4026531839]");

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
        Optional<Choice> configured = inFile ? Optional.empty() : Choice.parse(text);
        return configured.map(choice -> of(choice, environment, root)).orElseGet(() -> {
            boolean certain = of(Choice.AUTO, environment, root).isCertain();
            return new Container(
                    certain ? Kind.CONTAINER : Kind.UNDETERMINED, "the value of " + VARIABLE + " is not known");
        });
    }

    /** Detects a container, unless the setting decides. */
    public static Container of(Choice choice, Map<String, String> environment, Path root) {
        return of(choice, environment, root, ProcessHandle.current().pid());
    }

    static Container of(Choice choice, Map<String, String> environment, Path root, long pid) {
        return switch (choice) {
            case TRUE -> new Container(Kind.CONTAINER, "set by " + VARIABLE);
            case FALSE -> new Container(Kind.MACHINE, "set by " + VARIABLE);
            case AUTO -> detect(environment, root, pid);
        };
    }

    private static Container detect(Map<String, String> environment, Path root, long pid) {
        if (exists(root, IMAGE_MARKER)) {
            return new Container(Kind.CONTAINER, "the file /" + IMAGE_MARKER + " exists");
        }
        if (pid == 1) {
            return new Container(Kind.CONTAINER, "this is process 1");
        }
        // A machine may have been installed from a container image, with /.dockerenv in it.
        if (INITIAL_NAMESPACES.stream().allMatch(namespace -> isInNamespace(root, namespace))) {
            return new Container(Kind.MACHINE, "this process is in the machine's initial namespaces");
        }
        for (String file : ENGINE_FILES) {
            if (exists(root, file)) {
                return new Container(Kind.CONTAINER, "/" + file + " exists");
            }
        }
        if (!environment.getOrDefault(KUBERNETES_VARIABLE, "").isEmpty()) {
            return new Container(Kind.CONTAINER, KUBERNETES_VARIABLE + " is set");
        }
        if (isInNamespace(root, INITIAL_PID_NAMESPACE)) {
            return new Container(Kind.MACHINE, "this process is in the machine's initial PID namespace");
        }
        return INIT_SYSTEM_FILES.stream()
                .filter(path -> exists(root, path))
                .findFirst()
                .map(path -> new Container(Kind.MACHINE, "/" + path + " exists"))
                .orElseGet(() -> environment.getOrDefault(ENGINE_VARIABLE, "").isEmpty()
                        ? new Container(Kind.UNDETERMINED, "no init system was found in this PID namespace")
                        : new Container(Kind.CONTAINER, "the variable " + ENGINE_VARIABLE + " is set"));
    }

    /** True if /proc is not mounted, as a container engine always mounts it. */
    private static boolean isInNamespace(Path root, String namespace) {
        try {
            String type = namespace.substring(0, namespace.indexOf(':'));
            return Files.readSymbolicLink(root.resolve("proc/self/ns").resolve(type))
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
