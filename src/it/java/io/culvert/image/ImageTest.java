// SPDX-License-Identifier: Apache-2.0
package io.culvert.image;

import static java.util.function.Predicate.not;
import static org.assertj.core.api.Assertions.assertThat;

import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The content of the image and its metadata. */
@RequiresPodman
class ImageTest {

    /** One entry of the image's file system. */
    private record Entry(String mode, String user, String group, String path, String target) {

        static Entry of(String line) {
            String[] fields = line.split("\t", -1);
            return new Entry(fields[0], fields[1], fields[2], "/" + fields[3], fields[4]);
        }

        boolean isFile() {
            return mode.startsWith("-");
        }

        boolean isLink() {
            return mode.startsWith("l");
        }

        boolean isExecutable() {
            return isFile() && mode.charAt(3) == 'x';
        }

        String name() {
            return path.substring(path.lastIndexOf('/') + 1);
        }
    }

    /** The world-writable directories, which have the sticky bit. */
    private static final List<String> WRITABLE =
            List.of("/run", "/run/tailscale", "/run/wireguard", "/tmp", "/var/lib/culvert", "/var/lib/tailscale");

    private static final String LIST = """
            tree=$(podman image mount "$0") && find "$tree" -printf '%M\\t%U\\t%G\\t%P\\t%l\\n'
            podman image umount "$0" > /dev/null
            """;

    private static List<Entry> entries = List.of();

    @BeforeAll
    static void list_the_files() {
        entries = Podman.run("unshare", "sh", "-c", LIST, CulvertContainer.IMAGE)
                .lines()
                .map(Entry::of)
                .toList();
    }

    private static JsonObject config() {
        return Podman.inspect(CulvertContainer.IMAGE).getJsonObject("Config");
    }

    private static String text(String path) {
        return Podman.run(
                "unshare",
                "sh",
                "-c",
                "tree=$(podman image mount \"$0\") && cat \"$tree$1\"; podman image umount \"$0\" > /dev/null",
                CulvertContainer.IMAGE,
                path);
    }

    @Test
    void it_contains_only_the_expected_programs_and_no_shell() {
        assertThat(entries)
                .filteredOn(entry -> entry.isExecutable() && !entry.name().contains(".so"))
                .extracting(Entry::path)
                .allMatch(path -> Set.of(
                                        "/usr/sbin/danted",
                                        "/usr/bin/tinyproxy",
                                        "/usr/local/bin/tailscaled",
                                        "/usr/local/bin/wireguard-go",
                                        "/usr/local/bin/culvert",
                                        "/work/application")
                                .contains(path)
                        || path.startsWith("/opt/java/"));
        assertThat(entries)
                .filteredOn(entry -> !entry.mode().startsWith("d"))
                .extracting(Entry::name)
                .doesNotContain("sh", "bash", "dash", "busybox", "apt", "dpkg", "perl", "python3", "ip", "nft", "wg");
    }

    @Test
    void no_file_is_setuid_setgid_or_world_writable() {
        assertThat(entries)
                .filteredOn(not(Entry::isLink))
                .filteredOn(entry ->
                        entry.mode().matches(".*[sS].*") || entry.mode().charAt(8) == 'w')
                .extracting(Entry::path)
                .containsExactlyInAnyOrderElementsOf(WRITABLE);
    }

    @Test
    void files_belong_to_root_and_are_readable_and_writable_for_other_users_only_where_needed() {
        assertThat(entries)
                .allMatch(entry -> entry.user().equals("0") && entry.group().equals("0"));
        assertThat(entries)
                .filteredOn(Entry::isFile)
                .as("readable for all")
                .allMatch(entry -> entry.mode().charAt(7) == 'r');
        assertThat(entries)
                .filteredOn(entry -> entry.mode().startsWith("d"))
                .as("accessible for all")
                .allMatch(entry -> entry.mode().endsWith("r-x") || WRITABLE.contains(entry.path()));
        assertThat(entries)
                .filteredOn(entry -> entry.mode().equals("drwxrwxrwt"))
                .extracting(Entry::path)
                .containsExactlyInAnyOrderElementsOf(WRITABLE);
    }

    @Test
    void only_the_link_to_the_shadow_file_is_dangling() {
        Set<String> paths = Set.copyOf(entries.stream().map(Entry::path).toList());
        assertThat(entries)
                .filteredOn(Entry::isLink)
                .filteredOn(link -> {
                    Path target = Path.of(link.path()).resolveSibling(link.target());
                    return !paths.contains(target.normalize().toString());
                })
                .extracting(Entry::path)
                .containsExactly("/etc/shadow");
    }

    @Test
    void it_has_the_container_marker() {
        assertThat(entries).extracting(Entry::path).contains("/usr/lib/culvert/container");
    }

    @Test
    void it_contains_the_metadata_and_the_licences_of_its_packages() {
        List<String> packages = entries.stream()
                .filter(entry -> entry.path().startsWith("/var/lib/dpkg/status.d/"))
                .map(Entry::name)
                .toList();

        assertThat(packages).contains("libc6", "dante-server", "tinyproxy-bin", "ca-certificates", "tzdata");
        assertThat(text("/var/lib/dpkg/status.d/dante-server"))
                .containsPattern("(?m)^Package: dante-server$")
                .containsPattern("(?m)^Status: install ok installed$")
                .containsPattern("(?m)^Version: [0-9]");
        assertThat(entries)
                .extracting(Entry::path)
                .containsAll(packages.stream()
                        .map(name -> "/usr/share/doc/" + name + "/copyright")
                        .toList());
        assertThat(text("/etc/os-release")).contains("ID=debian");
    }

    @Test
    void it_has_labels_an_entrypoint_and_a_health_check() {
        JsonObject config = config();

        assertThat(config.getJsonObject("Labels"))
                .containsKeys(
                        "org.opencontainers.image.title",
                        "org.opencontainers.image.description",
                        "org.opencontainers.image.licenses",
                        "org.opencontainers.image.vendor",
                        "org.opencontainers.image.version",
                        "org.opencontainers.image.base.name");
        assertThat(config.getJsonArray("Entrypoint").getValuesAs(JsonString::getString))
                .containsExactly("/usr/local/bin/culvert");
        assertThat(config.containsKey("Cmd")).isFalse();
        assertThat(config.getString("User", "")).isEmpty();
        assertThat(Podman.inspect(CulvertContainer.IMAGE)
                        .getJsonObject("Healthcheck")
                        .getJsonArray("Test")
                        .getValuesAs(JsonString::getString))
                .containsExactly("CMD", "/usr/local/bin/culvert", "health");
    }
}
