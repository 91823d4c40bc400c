// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import io.culvert.lab.Lab;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Observer;
import io.culvert.lab.Provider;
import io.culvert.lab.RunningProgram;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Programs confined by a user other than root, on a machine that permits user namespaces. */
@NamespaceTest
class RootlessConfinementTest {

    private static final String HOME = "/run/other-user";

    /** Copies the files that the user needs to read, as the checkout may be in a directory that it cannot access. */
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

    private final ConfinementLab lab = new ConfinementLab(LabOptions.DEFAULTS);
    private final Provider provider = lab.lab().provider();
    private final Observer observer = lab.observe();

    @BeforeEach
    void prepareOtherUser() {
        CommandResult allowed = lab.run(asOtherUser("unshare", "--user", "--map-root-user", "--net", "true"));
        Assumptions.assumeTrue(allowed.status() == 0, allowed.err());
        String config = lab.file("wg0.conf", provider.file());
        lab.run("sh", "-c", SCRIPT, "sh", HOME, System.getProperty("user.dir"), config)
                .outputOrFail();
    }

    @AfterEach
    void close() {
        lab.close();
    }

    private static String[] asOtherUser(String... command) {
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
        List<String> all = new ArrayList<>(List.of(asOtherUser(HOME + "/checkout/culvert")));
        all.addAll(Arrays.asList(arguments));
        return all.toArray(String[]::new);
    }

    private static String[] exec(String... command) {
        List<String> all = new ArrayList<>(List.of(culvert("exec", "--config", HOME + "/wg0.conf", "--")));
        all.addAll(Arrays.asList(command));
        return all.toArray(String[]::new);
    }

    @Test
    void a_program_is_confined_without_root_and_runs_as_the_same_user() {
        RunningProgram program = lab.startOnMachine(exec(
                "sh",
                "-c",
                "until curl -s --max-time 5 http://www.example/; do :; done; echo; echo answered; "
                        + ConfinementLab.AWAIT_CONTINUE + "; exit 5"));
        program.awaitLine("answered", ConfinementLab.TIMEOUT);
        assertThat(program.output()).containsAnyOf(provider.publicIpv4(), provider.publicIpv6());

        CommandResult second = lab.run(exec(
                "sh",
                "-c",
                "id -u; id -g; cat /etc/resolv.conf; ip -o link | cut -d: -f2; grep -E 'CapEff|NoNewPrivs' /proc/self/status;"
                        + " ip link set wg0 down; curl -s -6 --max-time 20 http://www.example/"));
        assertThat(second.out())
                .startsWith("65534\n65534\nnameserver " + provider.tunnelIpv4() + "\n lo\n wg0\n")
                .contains("CapEff:\t0000000000000000\nNoNewPrivs:\t1\n")
                .contains(provider.publicIpv6());
        assertThat(lab.run(exec("dig", "+short", "+tcp", "@127.0.0.1", "www.example"))
                        .out())
                .isEqualTo(Lab.SERVER_IPV4 + "\n");
        assertThat(observer.leaks()).isEmpty();

        lab.run(exec(ConfinementLab.leakAttempts(HOME + "/checkout")));
        assertThat(observer.leaks()).isEmpty();
        assertThat(observer.sees(() -> lab.run(asOtherUser(ConfinementLab.leakAttempts(HOME + "/checkout")))))
                .isTrue();

        provider.stop();
        assertThat(lab.run(exec("curl", "-s", "--max-time", "3", "http://198.51.100.10/"))
                        .status())
                .isNotZero();
        provider.start();
        lab.killByCommandLine(ConfinementLab.USERSPACE_WIREGUARD);
        lab.run(exec("sh", "-c", "until curl -s --max-time 5 http://198.51.100.10/; do :; done"))
                .outputOrFail();
        assertThat(observer.leaks()).isEmpty();

        lab.continueProgram();
        assertThat(program.awaitExit(ConfinementLab.TIMEOUT)).isEqualTo(5);
        lab.awaitDaemonExit();
        assertThat(lab.run("ls", "-A", HOME + "/run/culvert/netns").outputOrFail())
                .doesNotContain(".sock", ".ours");
    }

    @Test
    void the_next_run_cleans_up_after_a_killed_daemon() {
        lab.run(culvert("netns", "up", "mine", "--config", HOME + "/wg0.conf")).outputOrFail();
        assertThat(lab.run(culvert("netns", "list")).outputOrFail())
                .startsWith("mine  " + HOME + "/wg0.conf  userspace");
        lab.killByCommandLine(ConfinementLab.DAEMON);
        assertThat(lab.run(culvert("netns", "list")).outputOrFail()).contains("abandoned");

        lab.run(culvert("netns", "up", "mine", "--config", HOME + "/wg0.conf")).outputOrFail();
        assertThat(lab.pidsByCommandLine(ConfinementLab.USERSPACE_WIREGUARD)).hasSize(1);
        lab.killByCommandLine(ConfinementLab.DAEMON);
        lab.run(culvert("netns", "down", "mine")).outputOrFail();

        assertThat(lab.run(culvert("netns", "list")).outputOrFail()).isEqualTo("no namespaces\n");
        assertThat(observer.leaks()).isEmpty();
    }

    @Test
    void changing_the_user_without_root_is_reported() {
        assertThat(lab.run(culvert("exec", "--user", "root", "--config", HOME + "/wg0.conf", "--", "true")))
                .satisfies(outcome -> assertThat(outcome.status()).isEqualTo(2))
                .satisfies(outcome -> assertThat(outcome.err()).contains("only root can change the user"));
    }

    @Test
    void an_inaccessible_tun_device_is_reported_with_a_hint_for_a_machine() {
        lab.run("mount", "-t", "tmpfs", "none", "/dev/net").outputOrFail();
        assertRefused("sudo modprobe tun");

        CommandResult created = lab.run("mknod", "-m", "600", "/dev/net/tun", "c", "10", "200");
        Assumptions.assumeTrue(created.status() == 0, created.err());
        assertRefused("sudo chmod 0666 /dev/net/tun");
        lab.run("chmod", "0666", "/dev/net/tun").outputOrFail();
        lab.run(exec("true")).outputOrFail();
    }

    private void assertRefused(String hint) {
        CommandResult outcome = lab.run(exec("true"));
        assertThat(outcome.status()).isEqualTo(3);
        assertThat(outcome.err()).contains("/dev/net/tun", hint).doesNotContain("compose", "--device", "container");
    }
}
