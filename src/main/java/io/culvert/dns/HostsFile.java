// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Prefix;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The content of {@code /etc/hosts} (hosts(5)) at one time, as other programs may write the file afterwards. */
public record HostsFile(String text) {

    /** Block lists of advertisers' names have a few million bytes. */
    private static final int MAX_BYTES = 8 << 20;

    /** Reads the file; the result is empty if it cannot be read. */
    public static HostsFile read(Path path) {
        try {
            return new HostsFile(BoundedFile.read(path, MAX_BYTES));
        } catch (IOException _) {
            return new HostsFile("");
        }
    }

    /** Returns the addresses of a name, in order. */
    List<InetAddress> addresses(String name) {
        String hostName = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        List<InetAddress> addresses = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            List<String> words = Arrays.asList(line.split("#", 2)[0].trim().split("\\s+"));
            if (words.stream().skip(1).anyMatch(hostName::equalsIgnoreCase)) {
                try {
                    addresses.add(Prefix.parseAddress(words.getFirst()));
                } catch (IllegalArgumentException _) {
                    // Not a valid line.
                }
            }
        }
        return addresses;
    }
}
