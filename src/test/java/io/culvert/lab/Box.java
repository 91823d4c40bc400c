package io.culvert.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How the node's programs are confined.
 *
 * @param process1 whether the program is process 1 of a process namespace, as in a container
 * @param init whether it is below an init, which is process 1 of a process namespace
 * @param image whether its file system says that it is Culvert's image
 * @param readOnlySysctl whether /proc/sys is read-only, as in an unprivileged container
 * @param tun whether there is /dev/net/tun
 * @param nft what it finds of nftables
 * @param capabilities what it may do, in the words of setpriv's bounding set
 * @param readOnly where nothing can be written; for /run, as in a read-only container without a tmpfs there
 */
public record Box(
        boolean process1,
        boolean init,
        boolean image,
        boolean readOnlySysctl,
        boolean tun,
        Nft nft,
        List<String> capabilities,
        List<String> readOnly) {

    /** What a program finds of nftables. */
    public enum Nft {
        USABLE,
        /** It has every capability, but in a user namespace that the network does not belong to. */
        REFUSED,
        /** The kernel, or a sandbox in its place, has none. */
        ABSENT,
        WITHOUT_LIBRARY
    }

    private static final Path WITHOUT_NETFILTER =
            Path.of("src/test/lab/bin/without-netfilter").toAbsolutePath();

    /** What container engines grant by default, and NET_ADMIN, which everybody who runs a VPN in one adds. */
    private static final List<String> USUAL = List.of(
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

    /** A container as most users run it. */
    public static final Box CONTAINER = new Box(true, false, false, true, true, Nft.USABLE, USUAL, List.of());

    /** A machine of its own, where root may everything. */
    public static final Box MACHINE = new Box(false, false, false, false, true, Nft.USABLE, List.of(), List.of());

    /** The command that runs the given one confined, with the disk's files as its own. */
    List<String> around(Disk disk, List<String> command) {
        StringBuilder script = new StringBuilder("set -e\n");
        if (readOnlySysctl) {
            script.append("mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys\n");
        }
        if (!tun) {
            script.append("mount -t tmpfs none /dev/net\n");
        }
        if (nft == Nft.WITHOUT_LIBRARY) {
            script.append("for library in $(ldconfig -p | sed -n 's/.*libnftables.*=> //p'); do"
                    + " mount --bind /dev/null $library; done\n");
        }
        if (image) {
            script.append("""
                    mkdir -p "$1/image"; mount -t tmpfs none "$1/image"; mkdir -p "$1/image/upper/culvert" "$1/image/work"
                    touch "$1/image/upper/culvert/container"
                    mount -t overlay -o lowerdir=/usr/lib,upperdir="$1/image/upper",workdir="$1/image/work" none /usr/lib
                    """);
        }
        // Files that programs create in /etc stay in the box; those that are there already show through.
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
            case USABLE, WITHOUT_LIBRARY -> "";
        };
        // The init hands SIGTERM on, and ends as its child does.
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
        all.addAll(List.of("sh", "-c", script.toString(), "box", disk.root().toString()));
        all.addAll(command);
        return all;
    }

    /** Whether the program is told that this is a machine: the lab's process namespace makes it look like a container. */
    boolean isMachine() {
        return !process1 && !init && !image;
    }

    public Box withoutTun() {
        return new Box(process1, init, image, readOnlySysctl, false, nft, capabilities, readOnly);
    }

    public Box with(Nft found) {
        return new Box(process1, init, image, readOnlySysctl, tun, found, capabilities, readOnly);
    }

    public Box without(String capability) {
        return new Box(
                process1,
                init,
                image,
                readOnlySysctl,
                tun,
                nft,
                capabilities.stream().filter(name -> !name.equals(capability)).toList(),
                readOnly);
    }

    public Box with(List<String> bounds) {
        return new Box(process1, init, image, readOnlySysctl, tun, nft, bounds, readOnly);
    }

    public Box withReadOnlyRun() {
        return new Box(process1, init, image, readOnlySysctl, tun, nft, capabilities, List.of("/run"));
    }

    /** Where nothing can be written: {@code read_only: true} of a compose file leaves what is mounted besides. */
    public Box withReadOnly(String... paths) {
        return new Box(process1, init, image, readOnlySysctl, tun, nft, capabilities, List.of(paths));
    }

    /** The same, below an init instead of as process 1. */
    public Box belowInit() {
        return new Box(false, true, image, readOnlySysctl, tun, nft, capabilities, readOnly);
    }

    /** The same with the file that Culvert's image has. */
    public Box ofImage() {
        return new Box(process1, init, true, readOnlySysctl, tun, nft, capabilities, readOnly);
    }

    public Box withWritableSysctl() {
        return new Box(process1, init, image, false, tun, nft, capabilities, readOnly);
    }
}
