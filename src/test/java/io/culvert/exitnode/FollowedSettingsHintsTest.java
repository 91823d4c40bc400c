// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.FollowedHint;
import io.culvert.diagnostics.Hints;
import java.util.stream.Stream;

/** The hints about settings. */
public class FollowedSettingsHintsTest extends FollowedInputHints {

    /** For HintCoverageTest. */
    public static Stream<FollowedHint> hints() {
        return of(rows());
    }

    private static Stream<Row> rows() {
        return Stream.of(inSettings(), inTailscalesSettings()).flatMap(rows -> rows);
    }

    private static Stream<Row> inSettings() {
        String bring = Hints.here().provideFile("the file", "this path") + ", or correct the path";
        return Stream.of(
                settings(
                        "use up to 32 letters, digits, '_' and '-', beginning with a letter or '_'",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=4; CULVERT_SOCKS_PASSWORD=x",
                        "CULVERT_SOCKS_USER=anna"),
                settings(
                        "choose another name",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=root; CULVERT_SOCKS_PASSWORD=x",
                        "CULVERT_SOCKS_USER=anna"),
                settings(
                        "use the file of the interface that your own devices connect to",
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf; CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/etc/wireguard/wg0.conf",
                        "CULVERT_MESH_CONFIG=/etc/mesh.conf"),
                settings(
                        Hints.here().provideFile("your provider's file", "/etc/none.conf")
                                + ", or set CULVERT_WIREGUARD_CONFIG to its path",
                        "CULVERT_WIREGUARD_CONFIG=/etc/none.conf",
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf"),
                settings(
                                Hints.here().provideFile("your provider's file", "/etc/none.conf")
                                        + ", or set CULVERT_WIREGUARD_CONFIG to its path",
                                "CULVERT_WIREGUARD_CONFIG=/etc/none.conf",
                                "CULVERT_WIREGUARD_CONFIG=/etc/none.conf")
                        .withFile(TUNNEL, "etc/none.conf"),
                settings(
                                bring,
                                "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/etc/none.conf",
                                "CULVERT_MESH_CONFIG=/etc/none.conf")
                        .withFile(CLIENTS, "etc/none.conf"),
                settings(bring, "CULVERT_DNS_FILE=/run/secrets/dns", "CULVERT_DNS_FILE=/run/secrets/dns")
                        .with("run/secrets/dns", "9.9.9.9"),
                settings(
                                "write the value to the file, or unset the variable",
                                "CULVERT_DNS_FILE=/run/secrets/dns",
                                "CULVERT_DNS_FILE=")
                        .first("run/secrets/dns", ""),
                settings(
                                "use a file that contains nothing but the value",
                                "CULVERT_DNS_FILE=/run/secrets",
                                "CULVERT_DNS_FILE=/run/secrets/dns")
                        .first("run/secrets/dns", "9.9.9.9"),
                settings("use auto, true or false", "CULVERT_CONTAINER=perhaps", "CULVERT_CONTAINER=auto"),
                settings(
                        "list only the networks to reach outside the tunnel",
                        "CULVERT_LAN_ALLOW=0.0.0.0/2,64.0.0.0/2,128.0.0.0/2,192.0.0.0/2",
                        "CULVERT_LAN_ALLOW=192.168.1.0/24"),
                settings(
                        "set CULVERT_MESH_CONFIG to a wg-quick file, or to a network file with CULVERT_MESH_NODE",
                        "CULVERT_MESH=wireguard",
                        "CULVERT_MESH_CONFIG=/etc/mesh.conf"),
                settings(
                        "set CULVERT_MESH_CONFIG to a wg-quick file, or to a network file with CULVERT_MESH_NODE",
                        "CULVERT_MESH=wireguard",
                        "CULVERT_MESH_CONFIG=/etc/network.yaml; CULVERT_MESH_NODE=hub"),
                settings(
                        "set CULVERT_MESH=wireguard, or unset CULVERT_MESH_CONFIG",
                        "CULVERT_MESH_CONFIG=/etc/mesh.conf",
                        "CULVERT_MESH=wireguard"),
                settings(
                        "set CULVERT_MESH_CONFIG to the network file, with CULVERT_MESH=wireguard",
                        "CULVERT_MESH_NODE=hub",
                        "CULVERT_MESH_CONFIG=/etc/network.yaml; CULVERT_MESH=wireguard"),
                settings(
                                "set CULVERT_SOCKS_PASSWORD_FILE to the path of a file that contains it",
                                "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna",
                                "CULVERT_SOCKS_PASSWORD_FILE=/run/secrets/socks")
                        .first("run/secrets/socks", "secret\n"),
                settings(
                        "set CULVERT_SOCKS_USER too",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_PASSWORD=x",
                        "CULVERT_SOCKS_USER=anna"),
                settings(
                        "list your networks, or set CULVERT_SOCKS_USER and CULVERT_SOCKS_PASSWORD",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_ALLOW=0.0.0.0/0",
                        "CULVERT_SOCKS_ALLOW=192.168.1.0/24"),
                settings(
                        "remove it, or change CULVERT_SOCKS",
                        "CULVERT_SOCKS_PORT=1081",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=x"),
                settings(
                        "use auto, natpmp, pcp, off, or the number of the port that your provider assigned, 1 to 65535",
                        "CULVERT_FORWARDED_PORT=upnp",
                        "CULVERT_FORWARDED_PORT=51413"),
                settings(
                        "use the address that your provider names, such as 10.2.0.1",
                        "CULVERT_FORWARDED_PORT=auto; CULVERT_FORWARDED_PORT_GATEWAY=proton",
                        "CULVERT_FORWARDED_PORT_GATEWAY=10.2.0.1"),
                settings(
                        "set CULVERT_SOCKS_PORT to another port",
                        "CULVERT_SOCKS=true; CULVERT_FORWARDED_PORT=1080",
                        "CULVERT_SOCKS_PORT=1090"),
                settings("use 127.0.0.1:8000, for example", "CULVERT_HTTP=127.0.0.1", "CULVERT_HTTP=127.0.0.1:8000"),
                settings(
                        "use 127.0.0.1, [::1] or mesh before the port, or unix: and a path",
                        "CULVERT_HTTP=everywhere:8000",
                        "CULVERT_HTTP=[::1]:8000"),
                settings(
                        "use 127.0.0.1 or [::1], or mesh for the mesh interface; other containers reach it by sharing the network",
                        "CULVERT_HTTP=0.0.0.0:8000",
                        "CULVERT_HTTP=mesh:8000"),
                settings(
                        "make one with 'openssl rand -base64 24'",
                        "CULVERT_HTTP=127.0.0.1:8000; CULVERT_HTTP_TOKEN=short",
                        "CULVERT_HTTP_TOKEN=q0kUo2dHc1uUeT8m7nq9m3oXb1yTzJp4"),
                settings(
                        "use one line of letters and digits",
                        "CULVERT_HTTP=127.0.0.1:8000; CULVERT_HTTP_TOKEN=a token with spaces in it",
                        "CULVERT_HTTP_TOKEN=atokenwithoutspaces"),
                settings(
                        "set CULVERT_HTTP too, for example to 127.0.0.1:8000, or remove it",
                        "CULVERT_HTTP_TOKEN=q0kUo2dHc1uUeT8m7nq9m3oXb1yTzJp4",
                        "CULVERT_HTTP=127.0.0.1:8000"),
                settings(
                        "use 127.0.0.1 instead of mesh, or set CULVERT_MESH",
                        "CULVERT_MESH=none; CULVERT_HTTP=mesh:8000",
                        "CULVERT_HTTP=127.0.0.1:8000"),
                settings(
                        "use the address of the server, without a name, port or scheme",
                        "CULVERT_DNS=dns.example.net",
                        "CULVERT_DNS=9.9.9.9"),
                settings(
                        "use a server that is reachable through the tunnel",
                        "CULVERT_DNS=127.0.0.1",
                        "CULVERT_DNS=9.9.9.9"),
                settings(
                        "use a path that begins with /, such as /etc/wireguard/wg0.conf",
                        "CULVERT_WIREGUARD_CONFIG=wg0.conf",
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf"),
                settings(
                                "use a path that begins with /, such as /run/secrets/name",
                                "CULVERT_DNS_FILE=9.9.9.9",
                                "CULVERT_DNS_FILE=/run/secrets/dns")
                        .first("run/secrets/dns", "9.9.9.9"),
                settings(
                        "set only one of them",
                        "CULVERT_DNS=9.9.9.9; CULVERT_DNS_FILE=/run/secrets/dns",
                        "CULVERT_DNS_FILE="),
                settings(
                        "use only its host and port, such as hs.example.net:443",
                        "CULVERT_BYPASS=https://hs.example.net",
                        "CULVERT_BYPASS=hs.example.net:443"),
                settings(
                        "append /tcp or /udp, or omit the protocol to allow both",
                        "CULVERT_BYPASS=hs.example.net:443/sctp",
                        "CULVERT_BYPASS=hs.example.net:443/tcp"),
                settings(
                        "add the port: hs.example.net:443",
                        "CULVERT_BYPASS=hs.example.net",
                        "CULVERT_BYPASS=hs.example.net:443"),
                settings(
                        "use host:port, ip:port, [ipv6]:port, an address or a network, each with an optional /tcp or /udp",
                        "CULVERT_BYPASS=a:b:c",
                        "CULVERT_BYPASS=198.51.100.0/24"),
                settings("use the address to reach", "CULVERT_BYPASS=0.0.0.0:5", "CULVERT_BYPASS=198.51.100.1:5"),
                settings(
                        "use none, or the networks without it",
                        "CULVERT_LAN_ALLOW=none,192.168.1.0/24",
                        "CULVERT_LAN_ALLOW=192.168.1.0/24"),
                settings("use a number such as 0x51000000", "CULVERT_MARK=x", "CULVERT_MARK=0x51000000"),
                settings("remove the setting, or use a number such as 0x51000000", "CULVERT_MARK=0", "CULVERT_MARK="),
                settings(
                        "remove the setting, or use a number whose bits 8 to 23 are clear, such as 0x51000000",
                        "CULVERT_MARK=0xca6c",
                        "CULVERT_MARK=0x51000000"),
                settings(
                        "use a number with a unit, such as 96MiB or 1GiB, or off for no limit",
                        "CULVERT_WIREGUARD_MEMORY=much",
                        "CULVERT_WIREGUARD_MEMORY=96MiB"),
                settings(
                        "use a number with a unit, such as 90s, 5m or 2h, or off",
                        "CULVERT_SERVER_RETURN=5",
                        "CULVERT_SERVER_RETURN=5m"),
                settings("add the unit: 96MiB", "CULVERT_WIREGUARD_MEMORY=96", "CULVERT_WIREGUARD_MEMORY=96MiB"),
                settings(
                        "use 96MiB, which keeps most of the speed",
                        "CULVERT_WIREGUARD_MEMORY=1MiB",
                        "CULVERT_WIREGUARD_MEMORY=96MiB"),
                settings(
                                "did you mean CULVERT_BYPASS?",
                                "CULVERT_BYPAS=198.51.100.1",
                                "CULVERT_BYPAS=; CULVERT_BYPASS=198.51.100.1")
                        .without("CULVERT_BYPAS"),
                settings(
                                "remove it, or see 'culvert up --help' for all settings",
                                "CULVERT_ZZZZZZZ=1",
                                "CULVERT_ZZZZZZZ=")
                        .without("CULVERT_ZZZZZZZ"),
                settings(
                        "use a shorter password",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=" + "x".repeat(256),
                        "CULVERT_SOCKS_PASSWORD=x"),
                settings(
                        "use one line with nothing but the password",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=a\nb",
                        "CULVERT_SOCKS_PASSWORD=a"),
                settings(
                        "use the name from the network file: letters, digits, hyphens and dots",
                        "CULVERT_MESH=wireguard; CULVERT_MESH_CONFIG=/etc/network.yaml; CULVERT_MESH_NODE=h u",
                        "CULVERT_MESH_NODE=hub"),
                settings(
                        "put the lower port first",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_UDP_PORTS=9-5",
                        "CULVERT_SOCKS_UDP_PORTS=5-9"),
                settings(
                        "use at most 64",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_UDP_PORTS=1000-9000",
                        "CULVERT_SOCKS_UDP_PORTS=1000-1063"),
                settings(
                        "use only the port that the service listens on; ports are mapped by the container engine",
                        "CULVERT_PUBLISH=80:8080",
                        "CULVERT_PUBLISH=8080"),
                settings("use /tcp or /udp", "CULVERT_PUBLISH=80/sctp", "CULVERT_PUBLISH=80/tcp"),
                settings(
                        "remove the user name and password",
                        "CULVERT_BYPASS=me:x@hs.example.net:443",
                        "CULVERT_BYPASS=hs.example.net:443"),
                settings("use a shorter text", "CULVERT_BYPASS=" + "x".repeat(2000), "CULVERT_BYPASS=198.51.100.1"),
                settings(
                        "remove accents and control characters",
                        "CULVERT_BYPASS=bücher.example:443",
                        "CULVERT_BYPASS=198.51.100.1"),
                settings(
                        "use the path of the file",
                        "CULVERT_WIREGUARD_CONFIG=/a\nb",
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf"),
                settings(
                        "use the path of that file",
                        "CULVERT_WIREGUARD_CONFIG=[Interface]\nPrivateKey = " + OWN,
                        "CULVERT_WIREGUARD_CONFIG=/etc/wireguard/wg0.conf"),
                settings(
                        "move the key to the setting or file that it belongs to", "CULVERT_DNS=" + OWN, "CULVERT_DNS="),
                settings(
                        "use a network such as 192.168.1.0/24, or an address",
                        "CULVERT_LAN_ALLOW=home",
                        "CULVERT_LAN_ALLOW=192.168.1.0/24"),
                settings(
                        "use 192.168.1.0/24 for the network, or 192.168.1.5 for the address",
                        "CULVERT_LAN_ALLOW=192.168.1.5/24",
                        "CULVERT_LAN_ALLOW=192.168.1.5"),
                settings(
                        "list only the networks to reach outside the tunnel",
                        "CULVERT_LAN_ALLOW=0.0.0.0/0",
                        "CULVERT_LAN_ALLOW=192.168.1.0/24"),
                settings(
                        "set only CULVERT_BYPASS",
                        "CULVERT_BYPASS=198.51.100.1; TSWG_HOLEPUNCH_ENDPOINTS=198.51.100.2",
                        "TSWG_HOLEPUNCH_ENDPOINTS="),
                settings(
                        "use true or false",
                        "CULVERT_SOCKS=perhaps",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=x"),
                settings(
                        "use a number from 1 to 65535",
                        "CULVERT_SOCKS=true; CULVERT_SOCKS_PORT=70000",
                        "CULVERT_SOCKS_PORT=1080"),
                settings("use one of them", "CULVERT_LOG=zzzzzzzzz", "CULVERT_LOG=info"),
                settings("did you mean info?", "CULVERT_LOG=inf", "CULVERT_LOG=info"),
                settings("use a port up to 65534", "CULVERT_PUBLISH=65535", "CULVERT_PUBLISH=65534"),
                settings(
                        "set CULVERT_SOCKS_USER and CULVERT_SOCKS_PASSWORD, or publish the port on 127.0.0.1 only",
                        "CULVERT_SOCKS=true",
                        "CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=x"),
                settings(
                        "use letters, digits, '.', '_' and '-' only, or unset CULVERT_HTTP_PROXY",
                        "CULVERT_HTTP_PROXY=true; CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=open sesame",
                        "CULVERT_SOCKS_PASSWORD=Open-sesame_1.2"),
                settings(
                        "set CULVERT_GATEWAY_CLIENTS to your networks, such as 192.168.1.0/24",
                        "CULVERT_GATEWAY=true",
                        "CULVERT_GATEWAY_CLIENTS=192.168.1.0/24"),
                settings(
                        "list only the networks of your own machines",
                        "CULVERT_GATEWAY=true; CULVERT_GATEWAY_CLIENTS=0.0.0.0/0",
                        "CULVERT_GATEWAY_CLIENTS=192.168.1.0/24"),
                settings(
                        "use another port for one of them",
                        "CULVERT_HTTP_PROXY=true; CULVERT_HTTP_PROXY_PORT=8000; CULVERT_HTTP=127.0.0.1:8000;"
                                + " CULVERT_SOCKS_USER=anna; CULVERT_SOCKS_PASSWORD=x",
                        "CULVERT_HTTP_PROXY_PORT=8888"));
    }

    private static Stream<Row> inTailscalesSettings() {
        String device = Hints.here().tunDevice() + "; " + Hints.here().netAdmin();
        return Stream.of(
                settings("remove it; this node is the exit node", "TS_EXTRA_ARGS=--exit-node=x", "TS_EXTRA_ARGS="),
                settings(
                        "remove it, unless you trust all nodes that may advertise routes in your tailnet",
                        "TS_EXTRA_ARGS=--accept-routes",
                        "TS_EXTRA_ARGS="),
                settings(
                        "remove it; " + device,
                        "TS_TAILSCALED_EXTRA_ARGS=--tun=userspace-networking",
                        "TS_TAILSCALED_EXTRA_ARGS="),
                settings("remove it; " + device, "TS_USERSPACE=true", "TS_USERSPACE="),
                settings(
                        "set TS_SOCKET instead",
                        "TS_TAILSCALED_EXTRA_ARGS=--socket=/x",
                        "TS_TAILSCALED_EXTRA_ARGS=; TS_SOCKET=/x"),
                settings("remove it", "TS_FORCE_LINUX_BIND_TO_DEVICE=true", "TS_FORCE_LINUX_BIND_TO_DEVICE="),
                settings(
                        "list only the networks behind this node; it is advertised as an exit node automatically",
                        "TS_ROUTES=0.0.0.0/1,128.0.0.0/1",
                        "TS_ROUTES=192.168.1.0/24"),
                settings("use 192.168.1.0/24", "TS_ROUTES=192.168.1.7/24", "TS_ROUTES=192.168.1.0/24"),
                settings("use 192.168.1.7/32", "TS_ROUTES=192.168.1.7", "TS_ROUTES=192.168.1.7/32"),
                settings("use subnets such as 192.168.1.0/24", "TS_ROUTES=home", "TS_ROUTES=192.168.1.0/24"),
                settings(
                        "use a number from 1 to 65535, such as --port=41641",
                        "TS_TAILSCALED_EXTRA_ARGS=--port=x",
                        "TS_TAILSCALED_EXTRA_ARGS=--port=41641"),
                settings(
                        "use a fixed port, such as --port=41641, or remove --port",
                        "TS_TAILSCALED_EXTRA_ARGS=--port=0",
                        "TS_TAILSCALED_EXTRA_ARGS="),
                settings(
                        "use --tun=tailscale0, or remove it",
                        "TS_TAILSCALED_EXTRA_ARGS=--tun=a/b",
                        "TS_TAILSCALED_EXTRA_ARGS=--tun=tailscale0"),
                settings(
                        "use another name, or remove it",
                        "TS_TAILSCALED_EXTRA_ARGS=--tun=wg0",
                        "TS_TAILSCALED_EXTRA_ARGS="),
                settings(
                        "use a URL, such as --login-server=https://headscale.example.com",
                        "TS_EXTRA_ARGS=--login-server=headscale",
                        "TS_EXTRA_ARGS=--login-server=https://headscale.example.com"),
                settings("remove it, unless your version of Tailscale supports it", "TS_ZZZZZZZZZZ=1", "TS_ZZZZZZZZZZ=")
                        .without("TS_ZZZZZZZZZZ"),
                settings("did you mean TS_HOSTNAME?", "TS_HOSTNAM=x", "TS_HOSTNAME=x")
                        .without("TS_HOSTNAM"),
                settings(
                        "run a second container with Tailscale's own image for that, or advertise a subnet with TS_ROUTES",
                        "TS_DEST_IP=192.0.2.7",
                        "TS_DEST_IP="),
                settings(
                        "set TS_STATE_DIR instead",
                        "TS_KUBE_SECRET=x",
                        "TS_KUBE_SECRET=; TS_STATE_DIR=/var/lib/tailscale"),
                settings("set TS_CLIENT_ID too", "TS_ID_TOKEN=x", "TS_CLIENT_ID=y"),
                settings("set only one of them", "TS_AUTHKEY=x; TS_CLIENT_SECRET=y", "TS_CLIENT_SECRET="),
                settings(
                        "use TS_ENABLE_HEALTH_CHECK, with TS_LOCAL_ADDR_PORT for another port",
                        "TS_HEALTHCHECK_ADDR_PORT=:9; TS_ENABLE_HEALTH_CHECK=true",
                        "TS_HEALTHCHECK_ADDR_PORT=; TS_LOCAL_ADDR_PORT=:9"));
    }
}
