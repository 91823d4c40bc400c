// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.CommandResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The systemd units in the documentation are valid. */
class UnitFilesTest {

    @TempDir
    Path directory;

    @Test
    void the_documented_units_pass_systemd_analyze() throws IOException {
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/systemd-analyze")), "there is no systemd-analyze here");
        List<String> command = new ArrayList<>(List.of("systemd-analyze", "verify", "--man=no"));
        try (Stream<Path> units = Files.list(Path.of("docs/systemd"))) {
            for (Path unit : units.sorted().toList()) {
                String text = Files.readString(unit)
                        .replaceAll("(?m)^ExecStart=\\S+", "ExecStart=/bin/true")
                        .replaceAll("(?m)^Documentation=.*\n", "");
                Path copy = Files.writeString(directory.resolve(unit.getFileName()), text);
                command.add(copy.toString().contains("@.") ? copy.toString().replace("@.", "@wg0.") : copy.toString());
                if (copy.toString().contains("@.")) {
                    Files.copy(copy, Path.of(copy.toString().replace("@.", "@wg0.")));
                }
            }
        }

        CommandResult verified = CommandResult.of(command);

        assertThat(verified.err()
                        .lines()
                        .filter(line -> line.contains(directory.toString())
                                || line.contains("culvert")
                                || line.contains("confined")))
                .isEmpty();
    }
}
