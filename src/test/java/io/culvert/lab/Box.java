package io.culvert.lab;

import java.util.List;

/**
 * How the node's programs are confined.
 *
 * @param process1 whether the program is process 1 of a process namespace, as in a container
 * @param readOnlySysctl whether /proc/sys is read-only, as in an unprivileged container
 * @param tun whether there is /dev/net/tun
 * @param capabilities what it may do, in the words of setpriv's bounding set
 */
public record Box(boolean process1, boolean readOnlySysctl, boolean tun, List<String> capabilities) {

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
    public static final Box CONTAINER = new Box(true, true, true, USUAL);

    /** A machine of its own, where root may everything. */
    public static final Box MACHINE = new Box(false, false, true, List.of());

    public Box withoutTun() {
        return new Box(process1, readOnlySysctl, false, capabilities);
    }

    public Box without(String capability) {
        return new Box(
                process1,
                readOnlySysctl,
                tun,
                capabilities.stream().filter(name -> !name.equals(capability)).toList());
    }

    public Box withWritableSysctl() {
        return new Box(process1, false, tun, capabilities);
    }
}
