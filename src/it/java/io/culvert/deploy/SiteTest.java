// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.culvert.lab.DeployTest;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The documentation site: it has every page, all links lead somewhere, and faults in pages fail its build. */
@DeployTest
class SiteTest {

    private static final Pattern REFERENCE =
            Pattern.compile("<(?:a|link|script|img)\\b[^>]*? (?:href|src)=\"?([^\"> ]+)");

    @TempDir
    Path directory;

    @BeforeEach
    void requireGenerator() {
        assumeThat(Path.of(".cache/bin/mkdocs"))
                .as("mkdocs is installed by scripts/python-programs site, which needs access to PyPI")
                .isExecutable();
    }

    @Test
    void it_has_every_page_and_its_links_lead_somewhere() throws Exception {
        ScriptRun build = ScriptRun.of(Path.of("."), "scripts/site", directory.toString());

        assertThat(build.status()).as(build.output()).isZero();
        assertThat(directory.resolve("index.html")).content().contains("How the kill switch works");
        assertThat(directory.resolve("compose-examples/tailscale/index.html"))
                .content()
                .contains("NET_ADMIN");
        try (Stream<Path> pages = Files.walk(Path.of("docs"))) {
            for (Path page :
                    pages.filter(path -> path.toString().endsWith(".md")).toList()) {
                String name = Path.of("docs").relativize(page).toString().replaceAll("(README)?\\.md$", "");
                assertThat(directory.resolve(name).resolve("index.html")).exists();
            }
        }
        List<Path> pages;
        try (Stream<Path> files = Files.walk(directory)) {
            // The page for missing pages has absolute links, as it may be shown for any address.
            pages = files.filter(path -> path.toString().endsWith("index.html")).toList();
        }
        for (Path page : pages) {
            Matcher references = REFERENCE.matcher(Files.readString(page));
            while (references.find()) {
                check(page, references.group(), references.group(1));
            }
        }
    }

    private void check(Path page, String tag, String reference) throws IOException {
        if (reference.matches("(https?|mailto):.*")) {
            // Visitors are not reported to others: only links that they follow lead to other servers.
            assertThat(tag).as(page.toString()).startsWith("<a");
            return;
        }
        String[] parts = URLDecoder.decode(reference, StandardCharsets.UTF_8).split("#", 2);
        Path target = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
        target = Files.isDirectory(target) ? target.resolve("index.html") : target;
        assertThat(target).as("%s in %s", reference, page).startsWith(directory).exists();
        if (parts.length == 2 && !parts[1].isEmpty() && !parts[1].startsWith("__")) {
            assertThat(Files.readString(target))
                    .as("%s in %s", reference, page)
                    .containsPattern("id=\"?" + Pattern.quote(parts[1]) + "[\" >]");
        }
    }

    @Test
    void faults_in_pages_fail_the_build() throws Exception {
        for (String file : new String[] {
            "mkdocs.yml", "scripts/site", "scripts/site-hooks.py", "scripts/python-programs", "scripts/python/site.txt"
        }) {
            write(file, Files.readString(Path.of(file)));
            assertThat(directory.resolve(file).toFile().setExecutable(true)).isTrue();
        }
        write("README.md", "# Title\n\n[page](docs/page.md#no-such-anchor) [list](docs/list.md#a-list)\n");
        write("docs/page.md", "# Page\n\n[no page](no-such-page.md) [no file](../no-such-file)\n");
        write("docs/list.md", "# A list\n\nText:\n- an item\n\n| a |\n|---|\n| `a\\|b` |\n");
        ScriptRun init = ScriptRun.of(directory, "git", "init", "--quiet");
        ScriptRun add = ScriptRun.of(directory, "git", "add", "--all");
        assertThat(init.status() + add.status()).isZero();

        ScriptRun build = ScriptRun.of(directory, "scripts/site");

        assertThat(build.status()).isNotZero();
        assertThat(build.output())
                .contains("page.md#no-such-anchor", "no-such-page.md", "../no-such-file", "in strict mode")
                .contains("list.md: a list is not rendered as a list", "list.md: '\\|' in a table")
                .doesNotContain("'list.md#a-list'");
    }

    private void write(String file, String text) throws IOException {
        Path path = directory.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
