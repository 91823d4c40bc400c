package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.ip.Family;
import io.culvert.lab.Box;
import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.PrivilegesOf;
import io.culvert.lab.Probe;
import io.culvert.lab.Shape;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A program that clients talk to, or whose packets come from anywhere, can do no more than it needs to. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class ChildPrivilegesTest {

    private static final long NET_ADMIN = 1 << 12;
    private static final int PORT = 1080;

    private final World world = World.of(Shape.USUAL);
    private final Probe neighbour = Probe.from(world.lab.neighbour());

    @AfterEach
    void closeLab() {
        world.close();
    }

    private Child ready(Map<String, String> more) {
        Map<String, String> settings = World.alone(more);
        settings.put("CULVERT_SOCKS", "true");
        settings.putIfAbsent("CULVERT_SOCKS_ALLOW", "192.0.2.0/26");
        settings.put("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace");
        Child culvert = world.connect(settings);
        culvert.awaitLine("^ready", World.SOON);
        return culvert;
    }

    private Optional<String> seenAs(String... options) {
        return neighbour.whoamiBySocks(Lab.NODE_4, PORT, Family.IPV4, options);
    }

    private static List<PrivilegesOf> dante(Child culvert) {
        ProcessHandle first = culvert.descendant("danted");
        ProcessHandle mother = first.parent()
                .filter(parent -> parent.info().command().equals(first.info().command()))
                .orElse(first);
        return Stream.concat(Stream.of(mother), mother.descendants())
                .map(PrivilegesOf::process)
                .toList();
    }

    private static void canDoNothing(List<PrivilegesOf> processes, String user) {
        assertThat(processes).hasSizeGreaterThan(3).allSatisfy(it -> {
            assertThat(it.user()).isEqualTo(user);
            assertThat(it.effective()).isZero();
            assertThat(it.permitted()).isZero();
            assertThat(it.ambient()).isZero();
            assertThat(it.noNewPrivileges()).isTrue();
            assertThat(it.descriptors()).isLessThanOrEqualTo(65536);
        });
    }

    @Test
    void the_proxy_has_a_user_of_its_own_and_no_capability() {
        Child culvert = ready(Map.of());

        List<PrivilegesOf> processes = dante(culvert);
        canDoNothing(processes, "51820");
        assertThat(processes).extracting(PrivilegesOf::bounding).containsOnly(0L);
        assertThat(seenAs()).contains(world.provider(Family.IPV4));
    }

    @Test
    void the_userspace_WireGuard_keeps_what_its_device_takes() {
        Child culvert = ready(Map.of());

        PrivilegesOf program = PrivilegesOf.process(culvert.descendant("wireguard-go", "wg0"));
        assertThat(program.effective()).isEqualTo(NET_ADMIN);
        assertThat(program.permitted()).isEqualTo(NET_ADMIN);
        assertThat(program.bounding()).isEqualTo(NET_ADMIN);
        assertThat(program.noNewPrivileges()).isTrue();
        assertThat(program.descriptors()).isLessThanOrEqualTo(65536);
    }

    @Test
    void a_password_is_checked_without_any_capability() {
        Child culvert = ready(Map.of("CULVERT_SOCKS_USER", "lotte", "CULVERT_SOCKS_PASSWORD", "open sesame"));

        canDoNothing(dante(culvert), "51820");
        assertThat(seenAs("--proxy-user", "lotte:open sesame")).contains(world.provider(Family.IPV4));
        assertThat(seenAs("--proxy-user", "lotte:open")).isEmpty();
    }

    /** As in the image, where nobody else is in that file. */
    @Test
    void a_file_of_passwords_that_is_ours_alone_is_for_the_proxy_alone() {
        world.lab.node().file("shadow", "");
        Child culvert = ready(Map.of("CULVERT_SOCKS_USER", "lotte", "CULVERT_SOCKS_PASSWORD", "open sesame"));

        canDoNothing(dante(culvert), "51820");
        assertThat(seenAs("--proxy-user", "lotte:open sesame")).contains(world.provider(Family.IPV4));
        assertThat(world.lab
                        .node()
                        .attempt("stat", "-c", "%a %u %g", "/etc/shadow")
                        .out()
                        .strip())
                .isEqualTo("640 0 51820");
    }

    @Test
    void a_container_that_may_not_change_users_has_a_proxy_without_any_capability() {
        world.in(Box.CONTAINER.without("setuid").without("setpcap"));
        Child culvert = ready(Map.of("CULVERT_SOCKS_USER", "lotte", "CULVERT_SOCKS_PASSWORD", "open sesame"));

        canDoNothing(dante(culvert), "0");
        assertThat(seenAs("--proxy-user", "lotte:open sesame")).contains(world.provider(Family.IPV4));
    }

    @Test
    void a_file_of_ones_own_names_users_and_logs_and_has_the_proxy_s_user_all_the_same() {
        String log = world.lab
                .node()
                .run()
                .resolveSibling("lib")
                .resolve("sockd.log")
                .toString();
        String sockd = world.lab.node().file("sockd.conf", """
                logoutput: stderr /var/lib/sockd.log
                user.privileged: root
                user.unprivileged: nobody
                internal: 0.0.0.0 port = 1080
                external: wg0
                clientmethod: none
                socksmethod: none
                client pass { from: 0/0 to: 0/0 log: connect error }
                socks pass { from: 0/0 to: 0/0 }
                """);
        Child culvert = ready(Map.of("CULVERT_SOCKS_CONFIG", sockd));

        canDoNothing(dante(culvert), "51820");
        assertThat(seenAs()).contains(world.provider(Family.IPV4));
        assertThat(Path.of(log)).content().contains("running");
    }

    @Test
    void a_low_port_takes_one_capability() {
        String sockd = world.lab.node().file("sockd.conf", """
                logoutput: stderr
                internal: 0.0.0.0 port = 443
                external: wg0
                clientmethod: none
                socksmethod: none
                client pass { from: 0/0 to: 0/0 }
                socks pass { from: 0/0 to: 0/0 }
                """);
        Child culvert = ready(Map.of("CULVERT_SOCKS_CONFIG", sockd));

        assertThat(dante(culvert)).allSatisfy(it -> {
            assertThat(it.user()).isEqualTo("51820");
            assertThat(it.effective() & ~(1L << 10)).isZero();
            assertThat(it.noNewPrivileges()).isTrue();
        });
        assertThat(neighbour.whoamiBySocks(Lab.NODE_4, 443, Family.IPV4)).contains(world.provider(Family.IPV4));
    }
}
