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

/** What is in the image, and what it says of itself. */
@ContainerTest
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

    /** By any user, who can take nothing away from another there. */
    private static final List<String> WRITABLE =
            List.of("/run", "/run/tailscale", "/run/wireguard", "/tmp", "/var/lib/culvert", "/var/lib/tailscale");

    private static final String LIST = """
            tree=$(podman image mount "$0") && find "$tree" -printf '%M\\t%U\\t%G\\t%P\\t%l\\n'
            podman image umount "$0" > /dev/null
            """;

    private static List<Entry> entries = List.of();

    @BeforeAll
    static void list() {
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
    void there_is_no_shell_and_nothing_else_to_work_with() {
        assertThat(entries)
                .filteredOn(entry -> entry.isExecutable() && !entry.name().contains(".so"))
                .extracting(Entry::path)
                .allMatch(path -> Set.of(
                                        "/usr/sbin/danted",
                                        "/usr/local/bin/tailscaled",
                                        "/usr/local/bin/containerboot",
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
    void nothing_gives_more_rights_than_the_caller_has() {
        assertThat(entries)
                .filteredOn(not(Entry::isLink))
                .filteredOn(entry ->
                        entry.mode().matches(".*[sS].*") || entry.mode().charAt(8) == 'w')
                .extracting(Entry::path)
                .containsExactlyInAnyOrderElementsOf(WRITABLE);
    }

    @Test
    void all_belongs_to_root_and_an_ordinary_user_reads_it_and_writes_where_he_must() {
        assertThat(entries)
                .allMatch(entry -> entry.user().equals("0") && entry.group().equals("0"));
        assertThat(entries)
                .filteredOn(Entry::isFile)
                .as("readable for all")
                .allMatch(entry -> entry.mode().charAt(7) == 'r');
        assertThat(entries)
                .filteredOn(entry -> entry.mode().startsWith("d"))
                .as("open for all")
                .allMatch(entry -> entry.mode().endsWith("r-x") || WRITABLE.contains(entry.path()));
        assertThat(entries)
                .filteredOn(entry -> entry.mode().equals("drwxrwxrwt"))
                .extracting(Entry::path)
                .containsExactlyInAnyOrderElementsOf(WRITABLE);
    }

    @Test
    void no_link_leads_nowhere_but_to_what_is_made_when_it_runs() {
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
    void it_says_that_it_is_a_container() {
        assertThat(entries).extracting(Entry::path).contains("/usr/lib/culvert/container");
    }

    @Test
    void scanners_find_its_packages_and_people_their_licences() {
        List<String> packages = entries.stream()
                .filter(entry -> entry.path().startsWith("/var/lib/dpkg/status.d/"))
                .map(Entry::name)
                .toList();

        assertThat(packages).contains("libc6", "dante-server", "libnftables1", "ca-certificates", "tzdata");
        assertThat(text("/var/lib/dpkg/status.d/libnftables1"))
                .containsPattern("(?m)^Package: libnftables1$")
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
    void it_says_what_it_is_and_how_its_health_is_told() {
        JsonObject config = config();

        assertThat(config.getJsonObject("Labels"))
                .containsKeys(
                        "org.opencontainers.image.title",
                        "org.opencontainers.image.description",
                        "org.opencontainers.image.licenses",
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
