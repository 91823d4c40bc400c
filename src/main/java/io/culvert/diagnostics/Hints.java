// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import io.culvert.linux.Container;
import java.nio.file.Path;

/** Hints about unmet requirements of the machine: in a container an option of its runtime, on a machine a command. */
public enum Hints {
    CONTAINER {
        @Override
        public String netAdmin() {
            return "add the capability NET_ADMIN (compose: cap_add: [NET_ADMIN]; podman or docker run: --cap-add"
                    + " NET_ADMIN)";
        }

        @Override
        public String tunDevice() {
            return "add the device /dev/net/tun (compose: devices: [/dev/net/tun]; podman or docker run: --device"
                    + " /dev/net/tun)";
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
            return "set " + name + "=" + value + " (compose: sysctls: [" + name + "=" + value
                    + "]; podman or docker run: --sysctl " + name + "=" + value + ")";
        }

        @Override
        public String enableIpv6() {
            String all = "net.ipv6.conf.all.disable_ipv6=0";
            String others = "net.ipv6.conf.default.disable_ipv6=0";
            return "enable IPv6 (compose: sysctls: [" + all + ", " + others + "]; podman or docker run: --sysctl " + all
                    + " --sysctl " + others + ")";
        }

        @Override
        public String loadModule(String name) {
            return "load the kernel module on the host: modprobe " + name;
        }

        @Override
        public String makeWritable(String directory) {
            return "mount a tmpfs on " + directory + ": `--tmpfs " + directory + "`, or `tmpfs: " + directory
                    + "` in a compose file";
        }

        @Override
        public String separateNamespace() {
            return "run this container in its own network namespace";
        }

        @Override
        public String defaultRoute() {
            return "connect the container to a network that has a default route";
        }

        @Override
        public String otherSubnet() {
            return "use another subnet for the container's network (compose: networks: default: ipam: config: - subnet:"
                    + " 192.168.90.0/24; podman or docker network create --subnet 192.168.90.0/24 NAME)";
        }

        @Override
        public String ipv6Network() {
            return "connect the container to a network with IPv6 (podman network create --ipv6 NAME; docker network"
                    + " create --ipv6 NAME; compose: enable_ipv6: true)";
        }

        @Override
        public String routerAdvertisements(String link) {
            return "use a network with static routes (podman network create --ipv6 NAME, then --network NAME; compose"
                    + " creates one automatically)";
        }

        @Override
        public String renameInterface(String link) {
            return "configure another interface name in the container engine (podman: --network pasta:-I,eth0 or"
                    + " --network NAME:interface_name=eth0; compose: interface_name: eth0)";
        }

        @Override
        public String dropCapabilities() {
            return "drop its capabilities (compose: cap_drop: [ALL]; podman or docker run: --cap-drop ALL)";
        }

        @Override
        public String missingFile() {
            return "check the name, and that the file is mounted into the container";
        }

        @Override
        public String provideFile(String file, String path) {
            return "mount " + file + " at " + path;
        }
    },

    MACHINE {
        @Override
        public String netAdmin() {
            return "run Culvert as root (sudo) or with the capability CAP_NET_ADMIN";
        }

        @Override
        public String tunDevice() {
            return "run Culvert as root (sudo); if that is not enough, load the module: sudo modprobe tun";
        }

        @Override
        public String missingTunDevice() {
            return "load the kernel module: sudo modprobe tun";
        }

        @Override
        public String deniedTunDevice() {
            return "run Culvert as root (sudo; for a confined program: sudo culvert exec --user \"$USER\" …), or"
                    + " allow all users to open the device: sudo chmod 0666 /dev/net/tun (until the next boot;"
                    + " permanently with a udev rule: KERNEL==\"tun\", MODE=\"0666\")";
        }

        @Override
        public String sysctl(String name, String value) {
            return "set it in this network namespace: sudo sysctl -w " + name + "=" + value;
        }

        @Override
        public String enableIpv6() {
            return sysctl("net.ipv6.conf.default.disable_ipv6", "0");
        }

        @Override
        public String loadModule(String name) {
            return "load the kernel module: sudo modprobe " + name;
        }

        @Override
        public String makeWritable(String directory) {
            return "run Culvert as root (sudo), with a writable " + directory;
        }

        @Override
        public String separateNamespace() {
            return "run Culvert in its own network namespace: ip netns exec NAME …";
        }

        @Override
        public String defaultRoute() {
            return "connect the machine to a network that has a default route";
        }

        @Override
        public String otherSubnet() {
            return "use another subnet for the machine's network";
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
        public String renameInterface(String link) {
            return "rename the interface at boot, such as with a file in /etc/systemd/network (systemd.link(5)) and a"
                    + " restart; renaming it now would disconnect the machine";
        }

        @Override
        public String dropCapabilities() {
            return "run the program as a user without capabilities, or with 'setpriv --bounding-set"
                    + " -net_raw,-net_admin'";
        }

        @Override
        public String missingFile() {
            return "check the name";
        }

        @Override
        public String provideFile(String file, String path) {
            return "copy " + file + " to " + path;
        }
    };

    /** Returns the hints for the environment in which this process runs. */
    public static Hints here() {
        // Not cached: this class is initialized at the build time of the native image.
        return Container.beforeSettings(System.getenv(), Path.of("/")).isCertain() ? CONTAINER : MACHINE;
    }

    /** Returns how to get the capability CAP_NET_ADMIN. */
    public abstract String netAdmin();

    /** Returns how to make /dev/net/tun available where it cannot be opened for any reason. */
    public abstract String tunDevice();

    /** Returns how to create a missing /dev/net/tun. */
    public abstract String missingTunDevice();

    /** Returns how to get access to an existing /dev/net/tun. */
    public abstract String deniedTunDevice();

    /** Returns how to set a kernel parameter. */
    public abstract String sysctl(String name, String value);

    /** Returns how to enable IPv6 on new links. */
    public abstract String enableIpv6();

    /** Returns how to load a kernel module. */
    public abstract String loadModule(String name);

    /** Returns how to make a directory writable. */
    public abstract String makeWritable(String directory);

    /** Returns how to run in a separate network namespace. */
    public abstract String separateNamespace();

    /** Returns how to get a default route. */
    public abstract String defaultRoute();

    /** Returns how to use another subnet for the local network. */
    public abstract String otherSubnet();

    /** Returns how to get a network with IPv6. */
    public abstract String ipv6Network();

    /** Returns how to get an IPv6 default route on this link while IPv6 forwarding is on. */
    public abstract String routerAdvertisements(String link);

    /** Returns how to rename an uplink that has the name of one of Culvert's interfaces. */
    public abstract String renameInterface(String link);

    /** Returns how to drop the capabilities of a program that shares the network namespace. */
    public abstract String dropCapabilities();

    /** Returns what to check where a configured file does not exist. */
    public abstract String missingFile();

    /** Returns how to provide a file at a path. */
    public abstract String provideFile(String file, String path);
}
