// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.Yaml;
import io.culvert.lab.CommandResult;
import io.culvert.lab.DeployTest;
import io.culvert.lab.ValidationTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Validates the shipped configuration files with the programs that read them, or with their published schemas. */
@DeployTest
class ShippedFilesTest {

    private static final Path KUBERNETES = Path.of("deploy/kubernetes");
    private static final Path QUADLET = Path.of("deploy/quadlet");

    /** The example that tswg publishes, as YAML without its comments, as of November 2025. */
    private static final String TSWG = """
            {"services":{"tswg":{"cap_add":["NET_ADMIN"],"container_name":"tswg","devices":["/dev/net/tun:/dev/net/tun"],
            "environment":["WG_CONFIG=/tmp/example.wg0.conf","TS_ACCEPT_DNS=true",
            "TS_EXTRA_ARGS=--login-server=https://<HEADSCALE-DOMAIN> --advertise-exit-node","TS_STATE_DIR=/var/lib/tailscale",
            "TS_HOSTNAME=test-exit-node","HOLEPUNCH_ENDPOINTS=HEADSCALE-IP-ADDRESS>"],"image":"ghcr.io/stratself/tswg:latest",
            "network_mode":"pasta","restart":"unless-stopped","sysctls":["net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1","net.ipv4.conf.all.src_valid_mark=1"],"volumes":["./tailscale:/var/lib/tailscale",
            "./example.wg0.conf:/tmp/example.wg0.conf:ro"]}}}
            """;

    @TempDir
    Path directory;

    private static List<Path> files(String root, String suffix) throws IOException {
        try (Stream<Path> all = Files.walk(Path.of(root))) {
            List<Path> matching = all.filter(path -> path.toString().endsWith(suffix))
                    .sorted()
                    .toList();
            assertThat(matching).as(root).isNotEmpty();
            return matching;
        }
    }

    private static void assertValid(String schema, List<Path> files) {
        List<String> command = new ArrayList<>(List.of("--builtin-schema", schema));
        files.forEach(file -> command.add(file.toString()));
        CommandResult outcome = ValidationTool.run("check-jsonschema", command.toArray(String[]::new));
        assertThat(outcome.status()).as(outcome.out() + outcome.err()).isZero();
    }

    @Test
    void compose_examples_match_the_Compose_Specification() throws IOException {
        assertValid("vendor.compose-spec", files("compose-examples", "compose.yaml"));
    }

    /** NET_RAW, which container engines grant, lets a program send packets that bypass any kill switch. */
    @Test
    void containers_in_Culverts_network_have_no_capabilities() throws IOException {
        int count = 0;
        for (Path file : files("compose-examples", "compose.yaml")) {
            for (Object service :
                    map(Yaml.read(Files.readString(file)).get("services")).values()) {
                if (String.valueOf(map(service).get("network_mode")).matches("(service|container):.*")) {
                    count++;
                    assertThat(map(service))
                            .as(file.toString())
                            .containsEntry("cap_drop", List.of("ALL"))
                            .containsEntry("security_opt", List.of("no-new-privileges:true"))
                            .doesNotContainKeys("cap_add", "privileged");
                }
            }
        }
        assertThat(count).isPositive();
        for (Path file : files("deploy/quadlet", ".container")) {
            String unit = Files.readString(file);
            if (!unit.contains("Image=localhost/culvert")) {
                assertThat(unit)
                        .as(file.toString())
                        .contains("DropCapability=all", "NoNewPrivileges=true")
                        .doesNotContain("AddCapability");
            }
        }
    }

    @Test
    void the_drop_in_differs_from_tswgs_example_only_in_the_name_of_the_image() throws IOException {
        String compose = Files.readString(Path.of("compose-examples/tswg-drop-in/compose.yaml"))
                .replace("image: culvert:latest", "image: ghcr.io/stratself/tswg:latest");

        assertThat(Yaml.read(compose)).isEqualTo(Yaml.read(TSWG));
    }

    @Test
    void the_image_has_the_same_name_in_all_files() throws IOException {
        List<Path> all = new ArrayList<>(files("compose-examples", "compose.yaml"));
        all.addAll(files("deploy/quadlet", ".container"));
        all.addAll(files("docs", ".md"));
        all.add(Path.of("README.md"));
        for (Path file : all) {
            assertThat(Files.readString(file).lines())
                    .as(file.toString())
                    .filteredOn(line -> line.matches("(?i)\\s*(image: |image=).*culvert.*"))
                    .allMatch(line -> line.matches("\\s*(image: culvert:latest|Image=localhost/culvert:latest)"));
        }
    }

    @Test
    void workflows_and_the_Dependabot_file_match_GitHubs_schemas() throws IOException {
        assertValid("vendor.github-workflows", files(".github/workflows", ".yml"));
        assertValid("vendor.dependabot", List.of(Path.of(".github/dependabot.yml")));
        CommandResult lint = ValidationTool.run(
                "actionlint",
                "-shellcheck=",
                "-pyflakes=",
                ".github/workflows/ci.yml",
                ".github/workflows/release.yml");
        assertThat(lint.status()).as(lint.out() + lint.err()).isZero();
    }

    @Test
    void scripts_that_workflows_run_exist() throws IOException {
        for (Path workflow : files(".github/workflows", ".yml")) {
            java.util.regex.Pattern.compile("(?<![\\w/])(scripts/[\\w/-]+|\\.ci/run)")
                    .matcher(Files.readString(workflow))
                    .results()
                    .map(match -> Path.of(match.group()))
                    .filter(path -> !path.equals(Path.of("scripts/release")))
                    .forEach(path -> assertThat(path).as(workflow.toString()).isExecutable());
        }
    }

    /** Returns the validated manifests that kubectl would apply, with placeholders for the user's files. */
    private List<Map<String, Object>> manifests(String name) throws IOException {
        try (Stream<Path> sources = Files.walk(KUBERNETES)) {
            for (Path source : sources.filter(Files::isRegularFile).toList()) {
                Path copy = directory.resolve(KUBERNETES.relativize(source));
                Files.createDirectories(copy.getParent());
                Files.copy(source, copy);
            }
        }
        for (String userFile : List.of("exit-0.conf", "exit-1.conf", "authkey", "provider.conf")) {
            Files.writeString(directory.resolve(name).resolve(userFile), "the user's own\n");
        }
        CommandResult built =
                ValidationTool.run("kustomize", "build", directory.resolve(name).toString());
        assertThat(built.status()).as(built.err()).isZero();
        Path all = Files.writeString(directory.resolve("all.yaml"), built.out());
        CommandResult valid = ValidationTool.run("kubernetes-validate", "--strict", all.toString());
        assertThat(valid.status()).as(valid.out() + valid.err()).isZero();
        return Yaml.readAll(built.out());
    }

    @SuppressWarnings("unchecked") // Its keys are text in every YAML file here.
    private static Map<String, Object> map(@Nullable Object value) {
        return (Map<String, Object>) Objects.requireNonNull(value);
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(@Nullable Object value) {
        return (List<Object>) Objects.requireNonNull(value);
    }

    private static Map<String, Object> podOf(List<Map<String, Object>> manifests, String kind) {
        Map<String, Object> deployment = manifests.stream()
                .filter(manifest -> kind.equals(manifest.get("kind")))
                .findFirst()
                .orElseThrow();
        return map(map(map(deployment.get("spec")).get("template")).get("spec"));
    }

    private static void assertHardened(Map<String, Object> container) {
        Map<String, Object> security = map(container.get("securityContext"));
        assertThat(security)
                .doesNotContainKey("privileged")
                .containsEntry("allowPrivilegeEscalation", false)
                .containsEntry("readOnlyRootFilesystem", true);
        assertThat(map(security.get("capabilities"))).containsEntry("drop", List.of("ALL"));
    }

    @Test
    void Kubernetes_runs_one_exit_node_for_each_location() throws IOException {
        List<Map<String, Object>> manifests = manifests("exit-nodes");
        Map<String, Object> pod = podOf(manifests, "StatefulSet");
        Map<String, Object> culvert = map(list(pod.get("containers")).getFirst());

        assertHardened(culvert);
        assertThat(culvert).containsEntry("image", "culvert:latest");
        assertThat(map(map(culvert.get("securityContext")).get("capabilities")))
                .containsEntry("add", List.of("NET_ADMIN"));
        // Each pod has a file of its own, by its name.
        assertThat(list(culvert.get("env")).toString()).contains("/etc/culvert/providers/$(POD_NAME).conf");
        assertThat(manifests.toString()).contains("exit-0.conf", "exit-1.conf").contains("enforce=privileged");
        assertThat(map(manifests.stream()
                        .filter(manifest -> "StatefulSet".equals(manifest.get("kind")))
                        .findFirst()
                        .orElseThrow()
                        .get("spec")))
                .containsEntry("replicas", 2)
                .containsKey("volumeClaimTemplates");
    }

    @Test
    void Kubernetes_starts_the_program_when_the_sidecars_kill_switch_is_active() throws IOException {
        Map<String, Object> pod = podOf(manifests("sidecar"), "Deployment");
        Map<String, Object> culvert = map(list(pod.get("initContainers")).getFirst());
        Map<String, Object> program = map(list(pod.get("containers")).getFirst());

        assertHardened(culvert);
        assertHardened(program);
        assertThat(culvert).containsEntry("restartPolicy", "Always");
        assertThat(map(map(culvert.get("startupProbe")).get("exec")))
                .containsEntry("command", List.of("/usr/local/bin/culvert", "health"));
        assertThat(map(map(program.get("securityContext")).get("capabilities"))).doesNotContainKey("add");
    }

    @ParameterizedTest
    @ValueSource(strings = {"restartPolicy: Always", "    startupProbe:"})
    void an_invalid_manifest_is_detected(String line) throws IOException {
        Path wrong = directory.resolve("wrong.yaml");
        String right = Files.readString(KUBERNETES.resolve("sidecar/deployment.yaml"));
        Files.writeString(wrong, right.replace(line, line.replace(":", "s:")));

        assertThat(ValidationTool.run("kubernetes-validate", "--strict", wrong.toString())
                        .status())
                .isNotZero();
    }

    private static CommandResult generate(Path units) {
        return ValidationTool.run(
                Map.of("QUADLET_UNIT_DIRS", units.toAbsolutePath().toString()), "quadlet", "--dryrun", "--user");
    }

    private static String unit(String all, String name) {
        int start = all.indexOf("---" + name + "---");
        assertThat(start).as(name).isNotNegative();
        int end = all.indexOf("\n---", start);
        return all.substring(start, end < 0 ? all.length() : end);
    }

    @Test
    void Podmans_generator_accepts_the_Quadlet_units() {
        CommandResult generated = generate(QUADLET);

        assertThat(generated.status()).as(generated.err()).isZero();
        assertThat(generated.err().lines()).allMatch(line -> line.contains("Loading source unit file"));
        for (String name : List.of("culvert.service", "vpn-culvert.service")) {
            assertThat(unit(generated.out(), name))
                    .contains("--cap-drop all --cap-add net_admin", "--device /dev/net/tun", "--read-only")
                    .contains("--security-opt=no-new-privileges", "--sdnotify=healthy")
                    .contains("--health-cmd \"[\\\"/usr/local/bin/culvert\\\",\\\"health\\\"]\"")
                    .doesNotContain("privileged ");
        }
        assertThat(unit(generated.out(), "culvert.service"))
                .contains("Requires=culvert-network.service", "--secret culvert-authkey,target=authkey");
        assertThat(unit(generated.out(), "vpn-app.service"))
                .contains("Requires=vpn-culvert.service", "After=vpn-culvert.service", "--pod vpn")
                .doesNotContain("--cap-add");
    }

    @ParameterizedTest
    @CsvSource({"AddCapability=, AddCapabilities=", "Network=culvert.network, Network=nowhere.network"})
    void an_invalid_Quadlet_unit_is_detected(String right, String wrong) throws IOException {
        for (Path source : files(QUADLET.toString(), "")) {
            if (Files.isRegularFile(source)) {
                Files.writeString(
                        directory.resolve(source.getFileName()),
                        Files.readString(source).replace(right, wrong));
            }
        }
        CommandResult generated = generate(directory);

        assertThat(generated.status() != 0 || generated.err().contains("unsupported key"))
                .as(generated.err())
                .isTrue();
    }
}
