// SPDX-License-Identifier: Apache-2.0
package io.culvert.proxies;

import io.culvert.linux.Privileges;
import io.culvert.linux.Privileges.Identity;
import io.culvert.process.ProcessLauncher;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * The user that a proxy server runs as: one of its own, if this process can start programs as another user. If that user
 * may not access a file that the server needs, it runs as the file's owner, still without any capability.
 *
 * @param identity empty for the user of this process
 */
record ProxyUser(Optional<Identity> identity) {

    /** @param id of the server's own user and group */
    static ProxyUser of(Path program, int id) {
        Identity own = new Identity(id, id, Set.of());
        return new ProxyUser(
                ProcessLauncher.isExecutableByOthers(program) && own.isUsable() ? Optional.of(own) : Optional.empty());
    }

    /** Returns a user that can read a file; this one if the file does not exist. */
    ProxyUser withReadAccess(Path file) throws IOException {
        return withAccess(
                file, PosixFilePermission.OWNER_READ, PosixFilePermission.GROUP_READ, PosixFilePermission.OTHERS_READ);
    }

    /** Returns a user that can write to a file; this one if the file does not exist. */
    ProxyUser withWriteAccess(Path file) throws IOException {
        return withAccess(
                file,
                PosixFilePermission.OWNER_WRITE,
                PosixFilePermission.GROUP_WRITE,
                PosixFilePermission.OTHERS_WRITE);
    }

    private ProxyUser withAccess(
            Path file, PosixFilePermission byOwner, PosixFilePermission byGroup, PosixFilePermission byOthers)
            throws IOException {
        if (identity.isEmpty() || !Files.exists(file)) {
            return this;
        }
        Identity current = identity.get();
        Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
        int owner = (Integer) Files.getAttribute(file, "unix:uid");
        int group = (Integer) Files.getAttribute(file, "unix:gid");
        if (owner == current.user() ? mode.contains(byOwner) : mode.contains(byOthers)) {
            return this;
        }
        if (mode.contains(byGroup)) {
            Set<Integer> groups = new HashSet<>(current.groups());
            groups.add(group);
            return new ProxyUser(Optional.of(new Identity(current.user(), current.group(), groups)));
        }
        return new ProxyUser(Optional.of(new Identity(owner, group, current.groups())));
    }

    /** Gives the user's group access to a file of this process. */
    void share(Path file, String mode) throws IOException {
        if (identity.isPresent()) {
            Files.setAttribute(file, "unix:gid", identity.get().group());
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        }
    }

    /** Lets the user traverse a directory of this process. */
    void allowTraversal(Path directory) throws IOException {
        if (identity.isPresent()) {
            Set<PosixFilePermission> mode = new HashSet<>(Files.getPosixFilePermissions(directory));
            if (mode.add(PosixFilePermission.OTHERS_EXECUTE)) {
                Files.setPosixFilePermissions(directory, mode);
            }
        }
    }

    Privileges privileges(Set<Integer> capabilities) {
        return new Privileges(identity, Optional.of(capabilities));
    }
}
