package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.Container.Choice;
import io.culvert.linux.Container.Found;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ContainerTest {

    private static final long INITIAL = 4026531836L;
    private static final long OTHER = 4026532001L;

    @TempDir
    private Path root;

    /** In this PID namespace, with the other namespaces of a container. */
    private ContainerTest in(long pidNamespace) throws IOException {
        return in(pidNamespace, 4026532002L, 4026532003L);
    }

    private ContainerTest in(long pid, long uts, long ipc) throws IOException {
        Path namespaces = Files.createDirectories(root.resolve("proc/self/ns"));
        Files.createSymbolicLink(namespaces.resolve("pid"), Path.of("pid:[" + pid + "]"));
        Files.createSymbolicLink(namespaces.resolve("uts"), Path.of("uts:[" + uts + "]"));
        Files.createSymbolicLink(namespaces.resolve("ipc"), Path.of("ipc:[" + ipc + "]"));
        return this;
    }

    private ContainerTest onMachine() throws IOException {
        return in(INITIAL, 4026531838L, 4026531839L);
    }

    private ContainerTest with(String path) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), "");
        return this;
    }

    private boolean found(long pid) {
        return Container.of(Choice.AUTO, Map.of(), root, pid).present();
    }

    @Test
    void a_program_in_the_machines_own_process_namespace_runs_on_a_machine() throws IOException {
        assertThat(in(INITIAL).found(700)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {".dockerenv", "run/.containerenv"})
    void a_machine_that_was_made_of_a_container_s_image_is_a_machine(String file) throws IOException {
        assertThat(onMachine().with(file).found(700)).isFalse();
    }

    @Test
    void the_image_is_a_container_even_in_the_machines_own_namespaces() throws IOException {
        assertThat(onMachine().with("usr/lib/culvert/container").found(700)).isTrue();
    }

    @Test
    void process_1_is_in_a_container() throws IOException {
        assertThat(in(OTHER).with("run/systemd/system/x").found(1)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "usr/lib/culvert/container",
                "run/.containerenv",
                ".dockerenv",
                "var/run/secrets/kubernetes.io/serviceaccount"
            })
    void a_file_of_the_image_or_of_the_engine_says_so_even_in_the_machines_process_namespace(String file)
            throws IOException {
        assertThat(in(INITIAL).with(file).found(700)).isTrue();
    }

    @Test
    void a_process_namespace_of_its_own_is_a_container_unless_a_machine_s_init_runs_there() throws IOException {
        assertThat(in(OTHER).found(7)).isTrue();
        assertThat(with("run/systemd/system/x").found(7)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"run/openrc/softlevel", "run/initctl", "run/WSL/1_interop"})
    void a_system_container_is_a_machine_whatever_its_init(String file) throws IOException {
        assertThat(in(OTHER).with(file).found(7)).isFalse();
    }

    @Test
    void a_systemd_in_an_engine_s_container_makes_no_machine_of_it() throws IOException {
        assertThat(in(OTHER)
                        .with("run/systemd/system/x")
                        .with("run/.containerenv")
                        .found(7))
                .isTrue();
    }

    @Test
    void a_pod_is_known_by_its_environment_too() throws IOException {
        in(INITIAL);

        assertThat(Container.of(Choice.AUTO, Map.of("KUBERNETES_SERVICE_HOST", "10.43.0.1"), root, 7)
                        .present())
                .isTrue();
    }

    @Test
    void where_nothing_tells_the_kill_switch_is_a_container_s_and_hints_are_a_machine_s() throws IOException {
        in(OTHER);
        Container doubtful = Container.of(Choice.AUTO, Map.of(), root, 7);
        assertThat(doubtful.present()).isTrue();
        assertThat(doubtful.isCertain()).isFalse();

        Container mistyped = Container.beforeSettings(Map.of("CULVERT_CONTAINER", "ture"), root);
        assertThat(mistyped.present()).isTrue();
        assertThat(mistyped.isCertain()).isFalse();

        Container named = Container.of(Choice.AUTO, Map.of("container", "podman"), root, 7);
        assertThat(named.present()).isTrue();
        assertThat(named.isCertain()).isTrue();

        with("run/systemd/system/x");
        assertThat(Container.of(Choice.AUTO, Map.of("container", "lxc"), root, 7))
                .extracting(Container::found)
                .isEqualTo(Found.MACHINE);
    }

    @Test
    void what_is_surely_a_container_has_its_hints_even_where_the_user_mistypes() throws IOException {
        in(OTHER).with(".dockerenv");

        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", "ture"), root)
                        .isCertain())
                .isTrue();
        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", "no"), root)
                        .isCertain())
                .isFalse();
        assertThat(Container.beforeSettings(Map.of(), root).isCertain()).isTrue();
    }

    @Test
    void without_proc_no_engine_has_started_it() {
        assertThat(found(7)).isFalse();
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
    void before_the_settings_are_read_the_user_s_word_counts_and_one_that_is_none_counts_as_true(
            String text, boolean expected) throws IOException {
        in(expected ? INITIAL : OTHER).with("x");

        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", text), root)
                        .present())
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "\t\n", "auto", " AUTO "})
    void before_the_settings_are_read_a_value_of_spaces_is_none(String text) throws IOException {
        onMachine();
        Map<String, String> settings = Map.of("CULVERT_CONTAINER", text, "CULVERT_CONTAINER_FILE", " ");

        assertThat(Container.beforeSettings(settings, root).present()).isFalse();
    }

    @Test
    void a_value_beside_a_file_counts_as_true_as_one_of_them_is_wrong() throws IOException {
        onMachine();
        Map<String, String> settings = Map.of("CULVERT_CONTAINER", "false", "CULVERT_CONTAINER_FILE", "/x");

        assertThat(Container.beforeSettings(settings, root).present()).isTrue();
    }

    @Test
    void a_word_that_is_in_a_file_counts_as_true_until_it_is_read() throws IOException {
        in(INITIAL);

        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER_FILE", "/x"), root)
                        .present())
                .isTrue();
        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", "", "CULVERT_CONTAINER_FILE", ""), root)
                        .present())
                .isFalse();
    }

    @Test
    void auto_is_what_is_found() throws IOException {
        onMachine();

        assertThat(Container.beforeSettings(Map.of("CULVERT_CONTAINER", "auto"), root))
                .isEqualTo(Container.beforeSettings(Map.of(), root))
                .isEqualTo(new Container(Found.MACHINE, "this process is in the machine's initial namespaces"));
    }
}
