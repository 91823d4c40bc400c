package io.culvert.dns;

import io.culvert.ip.Prefix;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The text of {@code /etc/hosts} (hosts(5)) at one moment: others may write the file afterwards. */
public record HostsFile(String text) {

    /** Lists of advertisers' names have a few million. */
    private static final int MOST_BYTES = 8 << 20;

    /** Reads it; what cannot be read is empty. */
    public static HostsFile read(Path path) {
        try {
            return new HostsFile(SharedFile.read(path, MOST_BYTES));
        } catch (IOException _) {
            return new HostsFile("");
        }
    }

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
