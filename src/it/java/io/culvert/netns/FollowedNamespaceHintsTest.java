// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.lab.CommandResult;
import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.Provider;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each hint of 'culvert exec' and 'culvert netns' is correct: after following it, the program is confined. */
@NamespaceTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public class FollowedNamespaceHintsTest {

    private final ConfinementLab lab = new ConfinementLab(LabOptions.DEFAULTS);
    private final String file;

    FollowedNamespaceHintsTest() {
        Provider provider = lab.lab().provider();
        this.file = lab.file("wg0.conf", provider.file());
        lab.file("other.conf", provider.file());
        lab.file("rules.nft", "table inet mine {}\n");
        String libraries = "for library in $(ldconfig -p | sed -n 's/.*libnftables.*=> //p'); do ";
        lab.file("hide-libnftables.sh", libraries + "mount --bind /dev/null $library; done\n");
        lab.file("show-libnftables.sh", libraries + "umount $library; done\n");
    }

    /**
     * A row of the table; FILE is replaced by the path of a WireGuard file, and DIR by its directory.
     *
     * @param before a command that is run first, of culvert or of the machine; empty for none
     * @param faulty the arguments of culvert that make it print the hint
     * @param commands the commands that the hint recommends
     */
    record Row(String hint, String before, String faulty, List<String> commands) {

        Row(String hint, String before, String faulty, String... commands) {
            this(hint, before, faulty, List.of(commands));
        }

        @Override
        public String toString() {
            return hint;
        }
    }

    /** Numbers the namespaces: each row has its own, as the previous one is deleted only after its last program exited. */
    private int row;

    @AfterAll
    void closeLab() {
        lab.close();
    }

    @ParameterizedTest
    @MethodSource("rows")
    void following_a_hint_confines_the_program(Row row) {
        this.row++;
        if (!row.before.isEmpty()) {
            run(row.before).outputOrFail();
        }
        CommandResult faulty = run("culvert " + row.faulty);
        assertThat(faulty.err().lines().map(line -> line.strip().replaceFirst("^hint: ", "")))
                .as(faulty.err())
                .contains(row.hint);

        for (String command : row.commands) {
            CommandResult outcome = run(command);
            assertThat(outcome.status()).as(command + ": " + outcome.err()).isZero();
            assertThat(outcome.err()).doesNotContain(row.hint);
        }
    }

    private CommandResult run(String command) {
        String[] words = command.replaceFirst("^culvert exec --config", "culvert exec --netns row" + row + " --config")
                .replace("FILE", file)
                .replace("DIR", file.replaceFirst("/[^/]*$", ""))
                .split(" ", -1);
        if (!words[0].equals("culvert")) {
            return lab.run(words);
        }
        return lab.culvert(Stream.of(words).skip(1).toArray(String[]::new));
    }

    /** For HintCoverageTest. */
    public static Stream<FollowedHint> hints() {
        return rows().map(row -> new FollowedHint(Set.of("netns", "nft", "cli"), row.hint));
    }

    private static Stream<Row> rows() {
        return Stream.of(
                new Row("add --config FILE", "", "exec -- true", "culvert exec --config FILE -- true"),
                new Row(
                        "use a port such as 8080 or 53/udp",
                        "",
                        "exec --config FILE --allow-inbound http -- true",
                        "culvert exec --config FILE --allow-inbound 8080 -- true"),
                new Row(
                        "use up to 15 letters, digits and _=+.-",
                        "",
                        "exec --netns a/b --config FILE -- true",
                        "culvert exec --netns a-b --config FILE -- true"),
                new Row(
                        "use another name with --netns, or delete it: ip netns delete foreign",
                        "ip netns add foreign",
                        "exec --netns foreign --config FILE -- true",
                        "ip netns delete foreign",
                        "culvert exec --netns foreign --config FILE -- true"),
                new Row(
                        "add --config FILE, or create it first: culvert netns up gone --config FILE",
                        "",
                        "exec --netns gone -- true",
                        "culvert netns up gone --config FILE",
                        "culvert exec --netns gone -- true",
                        "culvert netns down gone"),
                new Row(
                        "use the same options, or another name with --netns",
                        "culvert netns up one --config FILE",
                        "exec --netns one --config DIR/other.conf -- true",
                        "culvert exec --netns one --config FILE -- true",
                        "culvert exec --netns two --config DIR/other.conf -- true",
                        "culvert netns down one"),
                new Row(
                        "use a user that 'getent passwd' lists",
                        "",
                        "exec --config FILE --user nobody-of-that-name -- true",
                        "culvert exec --config FILE --user nobody -- true"),
                new Row(
                        "use a readable file of nftables rules with --firewall",
                        "",
                        "exec --config FILE --firewall DIR/none.nft -- true",
                        "culvert exec --config FILE --firewall DIR/rules.nft -- true"),
                new Row(
                        "install libnftables (Debian: libnftables1); Culvert's image does not have it",
                        "sh DIR/hide-libnftables.sh",
                        "exec --config FILE --firewall DIR/rules.nft -- true",
                        "culvert exec --netns plain --config FILE -- true",
                        "sh DIR/show-libnftables.sh",
                        "culvert exec --config FILE --firewall DIR/rules.nft -- true"));
    }
}
