package io.culvert.problem;

import io.culvert.linux.Container;
import java.nio.file.Path;

/** What to do about what the machine lacks: in a container an option of its runtime, on a machine a command. */
public enum Hints {
    CONTAINER {
        @Override
        public String netAdmin() {
            return "compose: cap_add: [NET_ADMIN]; podman or docker run: --cap-add NET_ADMIN";
        }

        @Override
        public String tunDevice() {
            return "compose: devices: [/dev/net/tun]; podman or docker run: --device /dev/net/tun";
        }

        @Override
        public String missingTunDevice() {
            return tunDevice();
        }

        @Override
        public String deniedTunDevice() {
            return tunDevice();
        }

        @Override
        public String sysctl(String name, String value) {
            return "compose: sysctls: [" + name + "=" + value + "]; podman or docker run: --sysctl " + name + "="
                    + value;
        }

        @Override
        public String ipv6OfNewLinks() {
            String all = "net.ipv6.conf.all.disable_ipv6=0";
            String others = "net.ipv6.conf.default.disable_ipv6=0";
            return "compose: sysctls: [" + all + ", " + others + "]; podman or docker run: --sysctl " + all
                    + " --sysctl " + others;
        }

        @Override
        public String module(String name) {
            return "load the module on the host: modprobe " + name;
        }

        @Override
        public String writable(String directory) {
            return "mount a tmpfs on " + directory + ": `--tmpfs " + directory + "`, or `tmpfs: " + directory
                    + "` in a compose file";
        }

        @Override
        public String ownNetwork() {
            return "give this container a network of its own";
        }

        @Override
        public String defaultRoute() {
            return "give the container a network";
        }

        @Override
        public String otherRange() {
            return "give the container's network another range (compose: networks: default: ipam: config: - subnet:"
                    + " 192.168.90.0/24; podman or docker network create --subnet 192.168.90.0/24 NAME)";
        }

        @Override
        public String ipv6Network() {
            return "give the container a network with IPv6 (podman network create --ipv6 NAME; docker network create"
                    + " --ipv6 NAME; compose: enable_ipv6: true)";
        }

        @Override
        public String routerAdvertisements(String link) {
            return "give the container a network with fixed routes (podman network create --ipv6 NAME, then --network"
                    + " NAME; compose makes one automatically)";
        }

        @Override
        public String otherName(String link) {
            return "let the engine call it otherwise (podman: --network pasta:-I,eth0 or --network"
                    + " NAME:interface_name=eth0; compose: interface_name: eth0)";
        }

        @Override
        public String noCapability() {
            return "give it no capability: cap_drop: [ALL], or --cap-drop ALL";
        }

        @Override
        public String missingFile() {
            return "check the name, and that the file is mounted into the container";
        }

        @Override
        public String bring(String file, String path) {
            return "mount " + file + " to " + path;
        }
    },

    MACHINE {
        @Override
        public String netAdmin() {
            return "run it as root (sudo), or give it the capability NET_ADMIN";
        }

        @Override
        public String tunDevice() {
            return "run it as root (sudo); where that is not enough: sudo modprobe tun";
        }

        @Override
        public String missingTunDevice() {
            return "load the module: sudo modprobe tun";
        }

        @Override
        public String deniedTunDevice() {
            return "run it as root (sudo; a confined program: sudo culvert exec --user \"$USER\" …), or let every user"
                    + " open the device: sudo chmod 0666 /dev/net/tun (until the next boot; permanently by a udev rule:"
                    + " KERNEL==\"tun\", MODE=\"0666\")";
        }

        @Override
        public String sysctl(String name, String value) {
            return "set it in this network namespace: sudo sysctl -w " + name + "=" + value;
        }

        @Override
        public String ipv6OfNewLinks() {
            return sysctl("net.ipv6.conf.default.disable_ipv6", "0");
        }

        @Override
        public String module(String name) {
            return "load the module: sudo modprobe " + name;
        }

        @Override
        public String writable(String directory) {
            return "run it as root (sudo), where " + directory + " is writable";
        }

        @Override
        public String ownNetwork() {
            return "run it in a network namespace of its own: ip netns exec NAME …";
        }

        @Override
        public String defaultRoute() {
            return "connect the machine to a network";
        }

        @Override
        public String otherRange() {
            return "give the machine's network another range";
        }

        @Override
        public String ipv6Network() {
            return "connect the machine to a network with IPv6";
        }

        @Override
        public String routerAdvertisements(String link) {
            return sysctl("net.ipv6.conf." + link + ".accept_ra", "2");
        }

        @Override
        public String otherName(String link) {
            return "give it another name before it is connected, such as by a file in /etc/systemd/network"
                    + " (systemd.link(5)) and a restart; to rename it now cuts the machine off";
        }

        @Override
        public String noCapability() {
            return "run it as a user without capabilities, or with 'setpriv --bounding-set -net_raw,-net_admin'";
        }

        @Override
        public String missingFile() {
            return "check the name";
        }

        @Override
        public String bring(String file, String path) {
            return "copy " + file + " to " + path;
        }
    };

    /** The hints for where this process runs. */
    public static Hints here() {
        // Not kept: this class is initialized while a native image is built.
        return Container.beforeSettings(System.getenv(), Path.of("/")).isCertain() ? CONTAINER : MACHINE;
    }

    /** Returns how to get the capability CAP_NET_ADMIN. */
    public abstract String netAdmin();

    /** Returns how to get a /dev/net/tun that cannot be opened, for whatever reason. */
    public abstract String tunDevice();

    /** Returns how to get a /dev/net/tun that does not exist. */
    public abstract String missingTunDevice();

    /** Returns how to get to open a /dev/net/tun that exists. */
    public abstract String deniedTunDevice();

    /** Returns how to set a kernel parameter. */
    public abstract String sysctl(String name, String value);

    /** Returns how to let links that are made have IPv6. */
    public abstract String ipv6OfNewLinks();

    /** Returns how to load a kernel module. */
    public abstract String module(String name);

    /** Returns how to get a directory that can be written. */
    public abstract String writable(String directory);

    /** Returns how to get away from others in the same network namespace. */
    public abstract String ownNetwork();

    /** Returns how to get a default route. */
    public abstract String defaultRoute();

    /** Returns how to get a network with other addresses. */
    public abstract String otherRange();

    /** Returns how to get a network with IPv6. */
    public abstract String ipv6Network();

    /** Returns how to get an IPv6 default route on this link although IPv6 is forwarded. */
    public abstract String routerAdvertisements(String link);

    /** Returns how to give an uplink another name that has one of ours. */
    public abstract String otherName(String link);

    /** Returns how to take capabilities away from a program that shares the network. */
    public abstract String noCapability();

    /** Returns what to check where a named file does not exist. */
    public abstract String missingFile();

    /** Returns how to bring a file to a path. */
    public abstract String bring(String file, String path);
}
