// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.Container.Choice;
import io.culvert.linux.Container.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ContainerTest {

    private static final long INITIAL = 4026531836L;
    private static final long OTHER = 4026532001L;

    @TempDir
    private Path root;

    /** Simulates a process in this PID namespace, with the other namespaces of a container. */
    private ContainerTest inPidNamespace(long pidNamespace) throws IOException {
        return inPidNamespace(pidNamespace, 4026532002L, 4026532003L);
    }

    private ContainerTest inPidNamespace(long pid, long uts, long ipc) throws IOException {
        Path namespaces = Files.createDirectories(root.resolve("proc/self/ns"));
        Files.createSymbolicLink(namespaces.resolve("pid"), Path.of("pid:[" + pid + "]"));
        Files.createSymbolicLink(namespaces.resolve("uts"), Path.of("uts:[" + uts + "]"));
        Files.createSymbolicLink(namespaces.resolve("ipc"), Path.of("ipc:[" + ipc + "]"));
        return this;
    }

    private ContainerTest inInitialNamespaces() throws IOException {
        return inPidNamespace(INITIAL, 4026531838L, 4026531839L);
    }

    private ContainerTest withFile(String path) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), "");
        return this;
    }

    private boolean isContainer(long pid) {
        return Container.of(Choice.AUTO, Map.of(), root, pid).present();
    }

    @Test
    void the_initial_pid_namespace_is_a_machine() throws IOException {
        assertThat(inPidNamespace(INITIAL).isContainer(700)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {".dockerenv", "run/.containerenv"})
    void a_machine_installed_from_a_container_image_is_a_machine(String file) throws IOException {
        assertThat(inInitialNamespaces().withFile(file).isContainer(700)).isFalse();
    }

    @Test
    void the_image_is_a_container_even_in_the_initial_namespaces() throws IOException {
        assertThat(inInitialNamespaces().withFile("usr/lib/culvert/container").isContainer(700))
                .isTrue();
    }

    @Test
    void process_1_runs_in_a_container() throws IOException {
        assertThat(inPidNamespace(OTHER).withFile("run/systemd/system/x").isContainer(1))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "usr/lib/culvert/container",
                "run/.containerenv",
                ".dockerenv",
                "var/run/secrets/kubernetes.io/serviceaccount"
            })
    void a_file_of_the_image_or_the_engine_means_container_even_in_the_initial_pid_namespace(String file)
            throws IOException {
        assertThat(inPidNamespace(INITIAL).withFile(file).isContainer(700)).isTrue();
    }

    @Test
    void another_pid_namespace_is_a_container_unless_an_init_system_runs_in_it() throws IOException {
        assertThat(inPidNamespace(OTHER).isContainer(7)).isTrue();
        assertThat(withFile("run/systemd/system/x").isContainer(7)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"run/openrc/softlevel", "run/initctl", "run/WSL/1_interop"})
    void a_system_container_is_a_machine_with_any_init(String file) throws IOException {
        assertThat(inPidNamespace(OTHER).withFile(file).isContainer(7)).isFalse();
    }

    @Test
    void systemd_in_an_engines_container_does_not_make_it_a_machine() throws IOException {
        assertThat(inPidNamespace(OTHER)
                        .withFile("run/systemd/system/x")
                        .withFile("run/.containerenv")
                        .isContainer(7))
                .isTrue();
    }

    @Test
    void a_pod_is_detected_by_its_environment() throws IOException {
        inPidNamespace(INITIAL);

        assertThat(Container.of(Choice.AUTO, Map.of("KUBERNETES_SERVICE_HOST", "10.43.0.1"), root, 7)
                        .present())
                .isTrue();
    }

    @Test
    void if_undetermined_the_kill_switch_is_that_of_a_container_and_hints_are_those_of_a_machine() throws IOException {
        inPidNamespace(OTHER);
        Container undetermined = Container.of(Choice.AUTO, Map.of(), root, 7);
        assertThat(undetermined.present()).isTrue();
        assertThat(undetermined.isCertain()).isFalse();

        Container mistyped = Container.beforeSettings(Map.of("CULVERT_CONTAINER", "ture"), root);
        assertThat(mistyped.present()).isTrue();
        assertThat(mistyped.isCertain()).isFalse();

        Container named = Container.of(Choice.AUTO, Map.of("container", "podman"), root, 7);
        assertThat(named.present()).isTrue();
        assertThat(named.isCertain()).isTrue();

        withFile("run/systemd/system/x");
        assertThat(Container.of(Choice.AUTO, Map.of("container", "lxc"), root, 7))
                .extracting(Container::kind)
                .isEqualTo(Kind.MACHINE);
    }

    @Test
    void a_detected_container_gets_its_hints_even_if_the_setting_is_invalid() throws IOException {
        inPidNamespace(OTHER).withFile(".dockerenv");

        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", "ture"), root)
                        .isCertain())
                .isTrue();
        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", "no"), root)
                        .isCertain())
                .isFalse();
        assertThat(Container.beforeSettings(Map.of(), root).isCertain()).isTrue();
    }

    @Test
    void without_proc_it_is_a_machine() {
        assertThat(isContainer(7)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "true,true",
        "YES,true",
        "1,true",
        "false,false",
        "off,false",
        "0,false",
        "ture,true",
        "' False ',false",
        "'\tTRUE\n',true",
        "'t rue',true"
    })
    void before_the_settings_are_read_an_invalid_value_counts_as_true(String text, boolean expected)
            throws IOException {
        inPidNamespace(expected ? INITIAL : OTHER).withFile("x");

        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", text), root)
                        .present())
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "\t\n", "auto", " AUTO "})
    void before_the_settings_are_read_a_blank_value_counts_as_unset(String text) throws IOException {
        inInitialNamespaces();
        Map<String, String> settings = Map.of("CULVERT_CONTAINER", text, "CULVERT_CONTAINER_FILE", " ");

        assertThat(Container.beforeSettings(settings, root).present()).isFalse();
    }

    @Test
    void a_value_together_with_a_file_counts_as_true() throws IOException {
        inInitialNamespaces();
        Map<String, String> settings = Map.of("CULVERT_CONTAINER", "false", "CULVERT_CONTAINER_FILE", "/x");

        assertThat(Container.beforeSettings(settings, root).present()).isTrue();
    }

    @Test
    void a_value_in_a_file_counts_as_true_until_the_file_is_read() throws IOException {
        inPidNamespace(INITIAL);

        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER_FILE", "/x"), root)
                        .present())
                .isTrue();
        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", "", "CULVERT_CONTAINER_FILE", ""), root)
                        .present())
                .isFalse();
    }

    @Test
    void auto_uses_the_detection() throws IOException {
        inInitialNamespaces();

        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", "auto"), root))
                .isEqualTo(Container.beforeSettings(Map.of(), root))
                .isEqualTo(new Container(Kind.MACHINE, "this process is in the machine's initial namespaces"));
    }
}
