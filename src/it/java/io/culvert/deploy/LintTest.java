// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.culvert.lab.DeployTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code scripts/lint}: this repository has no findings, and a repository with faults has one for each. */
@DeployTest
class LintTest {

    @TempDir
    Path faulty;

    @BeforeEach
    void requireLinters() {
        for (String linter : new String[] {"shellcheck", "actionlint"}) {
            assumeThat(Path.of(".cache/bin", linter))
                    .as("%s is installed by scripts/lint", linter)
                    .isExecutable();
        }
    }

    @Test
    void this_repository_has_no_findings() throws Exception {
        ScriptRun lint = ScriptRun.of(Path.of("."), "scripts/lint");

        assertThat(lint.output()).isEmpty();
        assertThat(lint.status()).isZero();
    }

    @Test
    void every_kind_of_fault_is_found() throws Exception {
        git("init", "--quiet");
        for (String file : new String[] {
            "scripts/lint",
            "scripts/python-programs",
            "scripts/go-programs",
            "scripts/python/lint.txt",
            "docker/go/lint/go.mod",
            "docker/go/lint/go.sum"
        }) {
            write(file, Files.readString(Path.of(file)));
            assertThat(faulty.resolve(file).toFile().setExecutable(true)).isTrue();
        }
        write("scripts/unquoted", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\nrm $1\n");
        write("scripts/no-header", "#!/bin/sh\necho\n");
        write("Makefile", "all:\n");
        write(".github/workflows/faulty.yml", """
                # SPDX-License-Identifier: Apache-2.0
                on: push
                jobs:
                  build:
                    runs-on: ubuntu-24.04
                    steps:
                      - uses: actions/checkout@v5
                      - run: rm $1
                      - run: echo ${{ github.no_such_property }}
                """);
        write("main.go", "// SPDX-License-Identifier: Apache-2.0\n\npackage main\nfunc  main() {}\n");
        git("add", "--all");

        ScriptRun lint = ScriptRun.of(faulty, "scripts/lint");

        assertThat(lint.status()).isOne();
        assertThat(lint.output())
                .contains("In scripts/unquoted line 3:", "SC2086")
                .contains("scripts/no-header:1: ", "Makefile:1: ")
                .contains("faulty.yml:8:", "shellcheck reported issue", "faulty.yml:9:", "no_such_property")
                .contains("faulty.yml:7:      - uses: actions/checkout@v5", "must be pinned")
                .contains("Not formatted, run gofmt -w: main.go")
                .doesNotContain("scripts/lint:1: ", "scripts/unquoted:1: ", "main.go:1: ");
    }

    private void git(String... arguments) throws Exception {
        String[] command = new String[arguments.length + 1];
        command[0] = "git";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        ScriptRun run = ScriptRun.of(faulty, command);
        assertThat(run.status()).as(run.output()).isZero();
    }

    private void write(String file, String text) throws IOException {
        Path path = faulty.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
