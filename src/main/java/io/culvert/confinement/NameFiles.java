package io.culvert.confinement;

import io.culvert.ip.Prefix;
import io.culvert.linux.Mounts;
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
record NameFiles(List<InetAddress> resolvers, List<String> searchDomains) {

    private static final Path ETC = Path.of("/etc");

    /** The directories of nscd, which the C library queries first, and of systemd-resolved. */
    private static final List<Path> SERVICES = List.of(Path.of("/run/nscd"), Path.of("/run/systemd/resolve"));

    NameFiles {
        resolvers = List.copyOf(resolvers);
        searchDomains = List.copyOf(searchDomains);
    }

    /** Mounts the files for the calling thread, which has its own mount namespace. */
    void show() throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("resolv.conf", resolvConf());
        texts.put("nsswitch.conf", serviceSwitch());
        PrivateDirectory.over(ETC, texts, Set.of());
        for (Path service : SERVICES) {
            if (Files.isDirectory(service)) {
                Mounts.nothing(service);
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
    static String serviceSwitch() throws IOException {
        Path machines = ETC.resolve("nsswitch.conf");
        return serviceSwitch(Files.exists(machines) ? Files.readString(machines) : "");
    }

    /** Returns the machine's nsswitch.conf with other sources for hosts and networks. */
    static String serviceSwitch(String machines) {
        return Stream.concat(
                        machines.lines().filter(line -> !line.strip().matches("(hosts|networks)\\s*:.*")),
                        Stream.of("hosts: files dns", "networks: files"))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
    }
}
