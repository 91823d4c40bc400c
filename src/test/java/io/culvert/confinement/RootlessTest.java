package io.culvert.confinement;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Child;
import io.culvert.lab.Lab;
import io.culvert.lab.Observer;
import io.culvert.lab.Outcome;
import io.culvert.lab.Provider;
import io.culvert.lab.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Programs confined by a user other than root, on a machine that permits user namespaces. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class RootlessTest {

    private static final String HOME = "/run/somebody";

    /** Copies what the user has to read, as the checkout may be in a directory without access. */
    private static final String SCRIPT = """
            set -e
            mkdir -p $1/checkout $1/run
            chmod 755 $1
            chown -R 65534:65534 $1/run
            chmod 700 $1/run
            cd "$2"
            src/test/lab/bin/copy-for-others $1/checkout
            cat "$3" > $1/wg0.conf
            chown 65534 $1/wg0.conf
            chmod 600 $1/wg0.conf
            """;

    private final ConfinementLab lab = new ConfinementLab(Shape.USUAL);
    private final Provider provider = lab.lab().provider();
    private final Observer observer = lab.observe();

    @BeforeEach
    void become_somebody_else() {
        Outcome allowed = lab.run(somebody("unshare", "--user", "--map-root-user", "--net", "true"));
        Assumptions.assumeTrue(allowed.status() == 0, allowed.err());
        String file = lab.file("wg0.conf", provider.file());
        lab.run("sh", "-c", SCRIPT, "sh", HOME, System.getProperty("user.dir"), file)
                .orFail();
    }

    @AfterEach
    void close() {
        lab.close();
    }

    private static String[] somebody(String... command) {
        List<String> all = new ArrayList<>(List.of(
                "setpriv",
                "--reuid",
                "65534",
                "--regid",
                "65534",
                "--clear-groups",
                "env",
                "XDG_RUNTIME_DIR=" + HOME + "/run",
                "HOME=" + HOME));
        all.addAll(List.of(command));
        return all.toArray(String[]::new);
    }

    private static String[] culvert(String... arguments) {
        List<String> all = new ArrayList<>(List.of(somebody(HOME + "/checkout/culvert")));
        all.addAll(Arrays.asList(arguments));
        return all.toArray(String[]::new);
    }

    private static String[] exec(String... command) {
        List<String> all = new ArrayList<>(List.of(culvert("exec", "--config", HOME + "/wg0.conf", "--")));
        all.addAll(Arrays.asList(command));
        return all.toArray(String[]::new);
    }

    @Test
    void it_works_without_root_and_the_program_is_its_user() {
        Child resident = lab.startHere(exec(
                "sh",
                "-c",
                "until curl -s --max-time 5 http://www.example/; do :; done; echo; echo answered; "
                        + ConfinementLab.AWAIT_LEAVE + "; exit 5"));
        resident.awaitLine("answered", ConfinementLab.SOON);
        assertThat(resident.output()).containsAnyOf(provider.outer4(), provider.outer6());

        Outcome second = lab.run(exec(
                "sh",
                "-c",
                "id -u; id -g; cat /etc/resolv.conf; ip -o link | cut -d: -f2; grep -E 'CapEff|NoNewPrivs' /proc/self/status;"
                        + " ip link set wg0 down; curl -s -6 --max-time 20 http://www.example/"));
        assertThat(second.out())
                .startsWith("65534\n65534\nnameserver " + provider.inner4() + "\n lo\n wg0\n")
                .contains("CapEff:\t0000000000000000\nNoNewPrivs:\t1\n")
                .contains(provider.outer6());
        assertThat(lab.run(exec("dig", "+short", "+tcp", "@127.0.0.1", "www.example"))
                        .out())
                .isEqualTo(Lab.SERVER_4 + "\n");
        assertThat(observer.leaks()).isEmpty();

        lab.run(exec(ConfinementLab.escape(HOME + "/checkout")));
        assertThat(observer.leaks()).isEmpty();
        assertThat(observer.sees(() -> lab.run(somebody(ConfinementLab.escape(HOME + "/checkout")))))
                .isTrue();

        provider.die();
        assertThat(lab.run(exec("curl", "-s", "--max-time", "3", "http://198.51.100.10/"))
                        .status())
                .isNotZero();
        provider.live();
        lab.kill(ConfinementLab.WIREGUARD);
        lab.run(exec("sh", "-c", "until curl -s --max-time 5 http://198.51.100.10/; do :; done"))
                .orFail();
        assertThat(observer.leaks()).isEmpty();

        lab.leave();
        assertThat(resident.awaitExit(ConfinementLab.SOON)).isEqualTo(5);
        lab.awaitNoKeeper();
        assertThat(lab.run("ls", "-A", HOME + "/run/culvert/netns").orFail()).doesNotContain(".sock", ".ours");
    }

    @Test
    void a_killed_keeper_leaves_nothing_that_the_next_run_does_not_clear() {
        lab.run(culvert("netns", "up", "mine", "--config", HOME + "/wg0.conf")).orFail();
        assertThat(lab.run(culvert("netns", "list")).orFail()).startsWith("mine  " + HOME + "/wg0.conf  userspace");
        lab.kill(ConfinementLab.KEEPER);
        assertThat(lab.run(culvert("netns", "list")).orFail()).contains("abandoned");

        lab.run(culvert("netns", "up", "mine", "--config", HOME + "/wg0.conf")).orFail();
        assertThat(lab.pids(ConfinementLab.WIREGUARD)).hasSize(1);
        lab.kill(ConfinementLab.KEEPER);
        lab.run(culvert("netns", "down", "mine")).orFail();

        assertThat(lab.run(culvert("netns", "list")).orFail()).isEqualTo("no namespaces\n");
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void what_keeps_him_from_it_is_said() {
        assertThat(lab.run(culvert("exec", "--user", "root", "--config", HOME + "/wg0.conf", "--", "true")))
                .satisfies(outcome -> assertThat(outcome.status()).isEqualTo(2))
                .satisfies(outcome -> assertThat(outcome.err()).contains("only root can change the user"));
    }

    @Test
    void a_device_that_he_may_not_open_is_told_with_what_to_do_on_a_machine() {
        lab.run("mount", "-t", "tmpfs", "none", "/dev/net").orFail();
        assertRefused("sudo modprobe tun");

        Outcome made = lab.run("mknod", "-m", "600", "/dev/net/tun", "c", "10", "200");
        Assumptions.assumeTrue(made.status() == 0, made.err());
        assertRefused("sudo chmod 0666 /dev/net/tun");
        lab.run("chmod", "0666", "/dev/net/tun").orFail();
        lab.run(exec("true")).orFail();
    }

    private void assertRefused(String hint) {
        Outcome outcome = lab.run(exec("true"));
        assertThat(outcome.status()).isEqualTo(3);
        assertThat(outcome.err()).contains("/dev/net/tun", hint).doesNotContain("compose", "--device", "container");
    }
}
