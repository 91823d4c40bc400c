package io.culvert.dns;

import io.culvert.ip.Prefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The text of {@code /etc/hosts} (hosts(5)). */
record HostsFile(String text) {

    /** The addresses that stand before this name, in order. */
    List<InetAddress> addresses(String name) {
        String wanted = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        List<InetAddress> addresses = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            List<String> words = Arrays.asList(line.split("#", 2)[0].trim().split("\\s+"));
            if (words.stream().skip(1).anyMatch(wanted::equalsIgnoreCase)) {
                try {
                    addresses.add(Prefix.parseAddress(words.getFirst()));
                } catch (IllegalArgumentException _) {
                    // Not a line of this file's form.
                }
            }
        }
        return addresses;
    }
}
