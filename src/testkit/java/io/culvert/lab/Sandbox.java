// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the node's programs may do and which files they see.
 *
 * @param process1 whether the program is process 1 of a process namespace, as in a container
 * @param init whether the program runs under an init that is process 1 of a process namespace
 * @param image whether its file system has the marker of Culvert's image
 * @param readOnlySysctl whether /proc/sys is read-only, as in an unprivileged container
 * @param tun whether there is /dev/net/tun
 * @param nft whether nftables is available
 * @param capabilities its bounding set, with setpriv's names; empty for all
 * @param readOnly read-only mount points; /run as in a read-only container without a tmpfs there
 */
public record Sandbox(
        boolean process1,
        boolean init,
        boolean image,
        boolean readOnlySysctl,
        boolean tun,
        Nft nft,
        List<String> capabilities,
        List<String> readOnly) {

    /** Whether nftables is available to a program. */
    public enum Nft {
        USABLE,
        /** The program has every capability, but in a user namespace that does not own the network namespace. */
        REFUSED,
        /** The kernel, or a sandbox such as gVisor in its place, does not support it. */
        ABSENT
    }

    private static final Path WITHOUT_NETFILTER =
            Path.of("src/test/lab/bin/without-netfilter").toAbsolutePath();

    /** The capabilities that container engines grant by default, and NET_ADMIN, which a VPN needs. */
    private static final List<String> DEFAULT_CAPABILITIES = List.of(
            "chown",
            "dac_override",
            "fowner",
            "fsetid",
            "kill",
            "setgid",
            "setuid",
            "setpcap",
            "net_bind_service",
            "net_raw",
            "sys_chroot",
            "mknod",
            "audit_write",
            "setfcap",
            "net_admin");

    /** An ordinary container with NET_ADMIN. */
    public static final Sandbox CONTAINER =
            new Sandbox(true, false, false, true, true, Nft.USABLE, DEFAULT_CAPABILITIES, List.of());

    /** A machine, on which root has every capability. */
    public static final Sandbox MACHINE =
            new Sandbox(false, false, false, false, true, Nft.USABLE, List.of(), List.of());

    /** Returns the command that runs the given one in the sandbox, with these files. */
    List<String> command(SandboxFiles files, List<String> command) {
        StringBuilder script = new StringBuilder("set -e\n");
        if (readOnlySysctl) {
            script.append("mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys\n");
        }
        if (!tun) {
            script.append("mount -t tmpfs none /dev/net\n");
        }
        if (image) {
            script.append("""
                    mkdir -p "$1/image"; mount -t tmpfs none "$1/image"; mkdir -p "$1/image/upper/culvert" "$1/image/work"
                    touch "$1/image/upper/culvert/container"
                    mount -t overlay -o lowerdir=/usr/lib,upperdir="$1/image/upper",workdir="$1/image/work" none /usr/lib
                    """);
        }
        // Files that programs create in /etc stay in the sandbox; existing ones are visible.
        script.append("""
                mount --bind /etc "$1/etc"
                mount -t tmpfs -o mode=755 none /etc
                ln -s "$1"/etc/* /etc/
                rm -f /etc/resolv.conf /etc/hosts /etc/wireguard /etc/ssl /etc/shadow
                mkdir -p /etc/wireguard /etc/ssl/certs
                touch /etc/resolv.conf /etc/hosts /etc/shadow /etc/ssl/certs/ca-certificates.crt
                mount --bind "$1/trusted.pem" /etc/ssl/certs/ca-certificates.crt
                mount --bind "$1/resolv.conf" /etc/resolv.conf
                mount --bind "$1/hosts" /etc/hosts
                mount --bind "$1/shadow" /etc/shadow
                mount --bind "$1/wireguard" /etc/wireguard
                mount --bind "$1/lib" /var/lib
                mount -n --bind "$1/run" /run
                shift
                """);
        if (readOnly.contains("/run")) {
            script.append("rm -rf /run/*\n");
        }
        for (String path : readOnly) {
            if (!path.equals("/")) {
                script.append("mount -n --bind %1$s %1$s\n".formatted(path));
            }
            script.append("mount -n -o remount,bind,ro %s\n".formatted(path));
        }
        String bounds =
                capabilities.isEmpty() ? "" : "setpriv --bounding-set -all,+" + String.join(",+", capabilities) + " ";
        String kernel = switch (nft) {
            case REFUSED -> "unshare --user --map-root-user ";
            case ABSENT -> WITHOUT_NETFILTER + " ";
            case USABLE -> "";
        };
        // The init passes SIGTERM to its child and exits with its status.
        String run = init ? """
                trap 'kill -TERM $child' TERM
                %s"$@" & child=$!
                code=0; wait $child || code=$?
                if kill -0 $child 2> /dev/null; then code=0; wait $child || code=$?; fi
                exit $code
                """ : "exec %s\"$@\"\n";
        script.append(run.formatted(bounds + kernel));
        List<String> all = new ArrayList<>(List.of("unshare", "--mount"));
        if (process1 || init) {
            all.addAll(List.of("--pid", "--fork", "--mount-proc", "--kill-child"));
        }
        all.addAll(
                List.of("sh", "-c", script.toString(), "sandbox", files.root().toString()));
        all.addAll(command);
        return all;
    }

    /**
     * Returns whether it stands for a machine; the program gets this as a setting, as the lab's process namespace looks
     * like a container.
     */
    boolean isMachine() {
        return !process1 && !init && !image;
    }

    public Sandbox withoutTun() {
        return new Sandbox(process1, init, image, readOnlySysctl, false, nft, capabilities, readOnly);
    }

    public Sandbox with(Nft newNft) {
        return new Sandbox(process1, init, image, readOnlySysctl, tun, newNft, capabilities, readOnly);
    }

    public Sandbox without(String capability) {
        return new Sandbox(
                process1,
                init,
                image,
                readOnlySysctl,
                tun,
                nft,
                capabilities.stream().filter(name -> !name.equals(capability)).toList(),
                readOnly);
    }

    public Sandbox with(List<String> bounds) {
        return new Sandbox(process1, init, image, readOnlySysctl, tun, nft, bounds, readOnly);
    }

    public Sandbox withReadOnlyRun() {
        return new Sandbox(process1, init, image, readOnlySysctl, tun, nft, capabilities, List.of("/run"));
    }

    /** Makes these mount points read-only; {@code read_only: true} in a compose file does not affect other mounts. */
    public Sandbox withReadOnly(String... paths) {
        return new Sandbox(process1, init, image, readOnlySysctl, tun, nft, capabilities, List.of(paths));
    }

    /** Returns the same sandbox with an init as process 1. */
    public Sandbox withInit() {
        return new Sandbox(false, true, image, readOnlySysctl, tun, nft, capabilities, readOnly);
    }

    /** Returns the same sandbox with the marker file of Culvert's image. */
    public Sandbox withImageMarker() {
        return new Sandbox(process1, init, true, readOnlySysctl, tun, nft, capabilities, readOnly);
    }

    public Sandbox withWritableSysctl() {
        return new Sandbox(process1, init, image, false, tun, nft, capabilities, readOnly);
    }
}
