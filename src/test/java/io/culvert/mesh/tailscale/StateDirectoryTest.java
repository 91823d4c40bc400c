package io.culvert.mesh.tailscale;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.Account;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayNameGeneration(ReplaceUnderscores.class)
class StateDirectoryTest {

    private static final Path NAMED = Path.of("/var/lib/tailscale");
    private static final Path INNER = NAMED.resolve("state");

    /** Without /proc, so that no capabilities are found. */
    @TempDir
    Path root;

    private Path outer;

    @BeforeEach
    void make() throws IOException {
        outer = Files.createDirectories(root.resolve("var/lib/tailscale"));
    }

    private Path used() {
        return new StateDirectory(root, NAMED).used();
    }

    /** Like a volume that was created for root. */
    private void belongsToSomebodyElse() throws IOException {
        Assumptions.assumeTrue(Account.effectiveUser() == 0, "only root gives directories away");
        Files.setAttribute(outer, "unix:uid", 1000);
        Files.setPosixFilePermissions(outer, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    @Test
    void it_is_the_one_that_was_named_where_it_is_one_s_own() {
        assertThat(used()).isEqualTo(NAMED);
    }

    @Test
    void it_is_another_one_where_the_named_one_is_somebody_else_s() throws IOException {
        belongsToSomebodyElse();

        assertThat(used()).isEqualTo(INNER);
        assertThat(new StateDirectory(root, NAMED).prepare())
                .anySatisfy(remark -> assertThat(remark.toString())
                        .contains("note: /var/lib/tailscale belongs to another user")
                        .contains("is kept in /var/lib/tailscale/state"));
    }

    @Test
    void a_name_that_tailscaled_leaves_as_it_is_is_used_whosever_it_is() throws IOException {
        belongsToSomebodyElse();
        Path other = Files.move(outer, outer.resolveSibling("node"));

        assertThat(new StateDirectory(root, NAMED.resolveSibling("node")).used())
                .isEqualTo(NAMED.resolveSibling(other.getFileName()));
    }

    @Test
    void who_has_begun_in_the_inner_one_stays_there_until_the_outer_one_has_a_state() throws IOException {
        Files.createFile(Files.createDirectory(outer.resolve("state")).resolve("tailscaled.state"));
        assertThat(used()).isEqualTo(INNER);

        Files.createFile(outer.resolve("tailscaled.state"));
        assertThat(used()).isEqualTo(NAMED);
    }
}
