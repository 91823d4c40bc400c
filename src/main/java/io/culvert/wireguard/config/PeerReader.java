// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.net.Endpoint;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.FileProblem.Reason;
import io.culvert.wireguard.config.FileProblem.Reason.Plain;
import io.culvert.wireguard.config.Section.Entry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads the values of all {@code [Peer]} sections and checks for conflicts between peers. */
final class PeerReader {

    private static final Pattern COMMA = Pattern.compile(",");

    private final FileProblems report;
    private final ValueReader values;
    private final Map<Prefix, Integer> lineOfPrefix = new HashMap<>();
    private final Map<PublicKey, Integer> lineOfKey = new HashMap<>();

    PeerReader(FileProblems report) {
        this.report = report;
        this.values = new ValueReader(report);
    }

    List<Peer> read(List<Section> sections) {
        List<Peer> peers = new ArrayList<>();
        for (Section section : sections) {
            read(section).ifPresent(peers::add);
        }
        return peers;
    }

    /** Reports peers with the interface's own public key, which the kernel ignores. */
    void reportOwnKey(SecretKey privateKey) {
        // Writing the private key instead of the public one is a common mistake, too.
        for (PublicKey ownKey : List.of(KeyGenerator.publicOf(privateKey), new PublicKey(privateKey.bytes()))) {
            Integer line = lineOfKey.get(ownKey);
            if (line != null) {
                report.error(new FileWord("", line, 1), Plain.OWN_PUBLIC_KEY);
            }
        }
    }

    private Optional<Peer> read(Section section) {
        Optional<PublicKey> publicKey = publicKey(section);
        Optional<SecretKey> presharedKey = section.last(Key.PRESHARED_KEY).flatMap(values::secretKey);
        List<Prefix> allowedIps = allowedIps(section);
        Optional<Endpoint> endpoint = section.last(Key.ENDPOINT).flatMap(values::endpoint);
        OptionalInt keepalive = keepalive(section);
        return publicKey.map(key -> new Peer(key, presharedKey, allowedIps, endpoint, keepalive));
    }

    private Optional<PublicKey> publicKey(Section section) {
        Optional<Entry> entry = section.last(Key.PUBLIC_KEY);
        if (entry.isEmpty()) {
            report.error(section.header(), Plain.NO_PUBLIC_KEY);
            return Optional.empty();
        }
        Optional<PublicKey> key = values.publicKey(entry.get());
        int line = entry.get().name().line();
        Integer earlierLine = key.isEmpty() ? null : lineOfKey.putIfAbsent(key.get(), line);
        if (earlierLine != null) {
            report.error(entry.get().value(), new Reason.KeyUsedBefore(earlierLine));
        }
        return key;
    }

    private List<Prefix> allowedIps(Section section) {
        List<Entry> entries = section.all(Key.ALLOWED_IPS);
        if (entries.isEmpty()) {
            report.warning(section.header(), Plain.NO_ALLOWED_IPS);
        }
        Set<Prefix> prefixes = new LinkedHashSet<>();
        for (Entry entry : entries) {
            if (!entry.value().isEmpty()) {
                for (FileWord word : entry.value().parts(COMMA)) {
                    allowedIp(entry, word).ifPresent(prefix -> {
                        if (prefixes.add(prefix)) {
                            checkUnique(word, prefix);
                        }
                    });
                }
            }
        }
        return List.copyOf(prefixes);
    }

    private Optional<Prefix> allowedIp(Entry entry, FileWord word) {
        if (word.isEmpty()) {
            report.error(word, Plain.EMPTY_LIST_ENTRY);
            return Optional.empty();
        }
        String text = word.compact();
        boolean containsSpaces = text.length() < word.text().length();
        if (text.startsWith("-")) {
            report.error(word, new Reason.RemovesPrefix(word.text()));
            return Optional.empty();
        }
        if (containsSpaces && word.text().matches(".*[0-9a-fA-F:]\\s+[0-9a-fA-F:].*")) {
            report.error(word, new Reason.SeveralPrefixes(word.text()));
            return Optional.empty();
        }
        // In wg(8), '+' adds to the existing prefixes, so it has no effect in a file.
        String plain = text.startsWith("+") ? text.substring(1) : text;
        Optional<Prefix> prefix = values.prefix(entry, new FileWord(plain, word.line(), word.column()));
        prefix.filter(Prefix::hasHostBits).ifPresent(unmasked -> report.warning(word, new Reason.HostBits(unmasked)));
        return prefix.map(Prefix::network);
    }

    private void checkUnique(FileWord word, Prefix prefix) {
        Integer earlierLine = lineOfPrefix.putIfAbsent(prefix, word.line());
        if (earlierLine != null) {
            report.error(word, new Reason.PrefixUsedBefore(prefix, earlierLine));
        }
    }

    private OptionalInt keepalive(Section section) {
        Optional<Entry> entry = section.last(Key.PERSISTENT_KEEPALIVE);
        OptionalLong seconds = entry.isEmpty() ? OptionalLong.empty() : values.number(entry.get(), 0, 65535);
        return seconds.orElse(0) == 0 ? OptionalInt.empty() : OptionalInt.of((int) seconds.getAsLong());
    }
}
