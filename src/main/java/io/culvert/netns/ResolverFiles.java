// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.linux.Mounts;
import io.culvert.net.Prefix;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The name resolution of a confined program: by DNS through the tunnel and by /etc/hosts, never by a service of the
 * machine that would resolve names outside the tunnel.
 */
record ResolverFiles(List<InetAddress> resolvers, List<String> searchDomains) {

    private static final Path ETC = Path.of("/etc");

    /** The directories of nscd, which the C library queries first, and of systemd-resolved. */
    private static final List<Path> RESOLVER_SERVICE_DIRECTORIES =
            List.of(Path.of("/run/nscd"), Path.of("/run/systemd/resolve"));

    ResolverFiles {
        resolvers = List.copyOf(resolvers);
        searchDomains = List.copyOf(searchDomains);
    }

    /** Mounts the files for the calling thread, which has its own mount namespace. */
    void mount() throws IOException {
        Map<String, String> contents = new LinkedHashMap<>();
        contents.put("resolv.conf", resolvConf());
        contents.put("nsswitch.conf", nsswitchConf());
        PrivateDirectory.mountOver(ETC, contents, Set.of());
        for (Path service : RESOLVER_SERVICE_DIRECTORIES) {
            if (Files.isDirectory(service)) {
                Mounts.mountEmpty(service);
            }
        }
    }

    String resolvConf() {
        return Stream.concat(
                        resolvers.stream().map(resolver -> "nameserver " + Prefix.text(resolver)),
                        searchDomains.isEmpty()
                                ? Stream.empty()
                                : Stream.of("search " + String.join(" ", searchDomains)))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
    }

    /** Returns the nsswitch.conf for this machine. */
    static String nsswitchConf() throws IOException {
        Path machineNsswitchConf = ETC.resolve("nsswitch.conf");
        return nsswitchConf(Files.exists(machineNsswitchConf) ? Files.readString(machineNsswitchConf) : "");
    }

    /** Returns the machine's nsswitch.conf with other sources for hosts and networks. */
    static String nsswitchConf(String machineNsswitchConf) {
        return Stream.concat(
                        machineNsswitchConf.lines().filter(line -> !line.strip().matches("(hosts|networks)\\s*:.*")),
                        Stream.of("hosts: files dns", "networks: files"))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
    }
}
