// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.linux.Account;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        return new StateDirectory(root, NAMED).effective();
    }

    /** Like a volume that was created for root. */
    private void belongsToAnotherUser() throws IOException {
        Assumptions.assumeTrue(Account.effectiveUser() == 0, "only root gives directories away");
        Files.setAttribute(outer, "unix:uid", 1000);
        Files.setPosixFilePermissions(outer, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    @Test
    void the_named_directory_is_used_where_this_user_owns_it() {
        assertThat(used()).isEqualTo(NAMED);
    }

    @Test
    void a_subdirectory_is_used_where_another_user_owns_the_named_directory() throws IOException {
        belongsToAnotherUser();

        assertThat(used()).isEqualTo(INNER);
        assertThat(new StateDirectory(root, NAMED).prepare())
                .anySatisfy(remark -> assertThat(remark.toString())
                        .contains("note: /var/lib/tailscale belongs to another user")
                        .contains("is kept in /var/lib/tailscale/state"));
    }

    @Test
    void a_directory_with_another_name_is_used_whoever_owns_it() throws IOException {
        belongsToAnotherUser();
        Path other = Files.move(outer, outer.resolveSibling("node"));

        assertThat(new StateDirectory(root, NAMED.resolveSibling("node")).effective())
                .isEqualTo(NAMED.resolveSibling(other.getFileName()));
    }

    @Test
    void state_in_the_subdirectory_is_used_until_the_named_directory_has_state() throws IOException {
        Files.createFile(Files.createDirectory(outer.resolve("state")).resolve("tailscaled.state"));
        assertThat(used()).isEqualTo(INNER);

        Files.createFile(outer.resolve("tailscaled.state"));
        assertThat(used()).isEqualTo(NAMED);
    }
}
