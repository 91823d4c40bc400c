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
 * How a confined program finds addresses: by DNS through the tunnel, and by /etc/hosts; never by a service of the machine that
 * would ask for it outside.
 */
record NameFiles(List<InetAddress> resolvers, List<String> searchDomains) {

    private static final Path ETC = Path.of("/etc");

    /** Where the C library asks before it does anything else, and where systemd-resolved is asked, if somebody listens there. */
    private static final List<Path> SERVICES = List.of(Path.of("/run/nscd"), Path.of("/run/systemd/resolve"));

    NameFiles {
        resolvers = List.copyOf(resolvers);
        searchDomains = List.copyOf(searchDomains);
    }

    /** For the calling thread, which has mounts of its own. */
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

    /** As it is to be on this machine. */
    static String serviceSwitch() throws IOException {
        Path machines = ETC.resolve("nsswitch.conf");
        return serviceSwitch(Files.exists(machines) ? Files.readString(machines) : "");
    }

    /** The machine's own, but for where hosts and networks are looked up. */
    static String serviceSwitch(String machines) {
        return Stream.concat(
                        machines.lines().filter(line -> !line.strip().matches("(hosts|networks)\\s*:.*")),
                        Stream.of("hosts: files dns", "networks: files"))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
    }
}
