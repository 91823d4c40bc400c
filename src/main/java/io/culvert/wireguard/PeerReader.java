package io.culvert.wireguard;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Prefix;
import io.culvert.wireguard.Section.Entry;
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

/** Reads the values of all {@code [Peer]} sections and what they claim from each other. */
final class PeerReader {

    private static final Pattern COMMA = Pattern.compile(",");

    private final Report report;
    private final Values values;
    private final Map<Prefix, Integer> lineOfPrefix = new HashMap<>();
    private final Map<PublicKey, Integer> lineOfKey = new HashMap<>();

    PeerReader(Report report) {
        this.report = report;
        this.values = new Values(report);
    }

    List<Peer> read(List<Section> sections) {
        List<Peer> peers = new ArrayList<>();
        for (Section section : sections) {
            read(section).ifPresent(peers::add);
        }
        return peers;
    }

    /** Tells of peers that the kernel would pass over because they have the interface's own key. */
    void refuseOwnKey(SecretKey privateKey) {
        // A private key in the place of a public one is common, too.
        for (PublicKey own : List.of(Keys.publicOf(privateKey), new PublicKey(privateKey.bytes()))) {
            Integer line = lineOfKey.get(own);
            if (line != null) {
                report.error(
                        new Word("", line, 1),
                        "PublicKey is this interface's own key, not the peer's",
                        "write the key of the server");
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
            report.error(section.header(), "[Peer] has no PublicKey", "add the key of the server");
            return Optional.empty();
        }
        Optional<PublicKey> key = values.publicKey(entry.get());
        int line = entry.get().name().line();
        Integer earlier = key.isEmpty() ? null : lineOfKey.putIfAbsent(key.get(), line);
        if (earlier != null) {
            report.error(
                    entry.get().value(),
                    "PublicKey stands in line " + earlier + " already",
                    "make the two [Peer] sections one");
        }
        return key;
    }

    private List<Prefix> allowedIps(Section section) {
        List<Entry> entries = section.all(Key.ALLOWED_IPS);
        if (entries.isEmpty()) {
            report.warning(
                    section.header(),
                    "[Peer] has no AllowedIPs: nothing goes to this peer",
                    "write AllowedIPs = 0.0.0.0/0, ::/0 for all");
        }
        Set<Prefix> prefixes = new LinkedHashSet<>();
        for (Entry entry : entries) {
            if (!entry.value().isEmpty()) {
                for (Word word : entry.value().parts(COMMA)) {
                    allowedIp(entry, word).ifPresent(prefix -> {
                        if (prefixes.add(prefix)) {
                            claim(word, prefix);
                        }
                    });
                }
            }
        }
        return List.copyOf(prefixes);
    }

    private Optional<Prefix> allowedIp(Entry entry, Word word) {
        if (word.isEmpty()) {
            report.error(word, "AllowedIPs: a prefix is missing beside a comma", "delete the comma");
            return Optional.empty();
        }
        String text = word.compact();
        boolean spaced = text.length() < word.text().length();
        if (text.startsWith("-")) {
            values.refuse(entry, word, "would take a prefix away, which a file cannot", "delete it");
            return Optional.empty();
        }
        if (spaced && word.text().matches(".*[0-9a-fA-F:]\\s+[0-9a-fA-F:].*")) {
            values.refuse(entry, word, "is not one prefix", "write a comma between prefixes");
            return Optional.empty();
        }
        // wg's sign for "add to what is there", which in a file is nothing.
        String plain = text.startsWith("+") ? text.substring(1) : text;
        Optional<Prefix> prefix = values.prefix(entry, new Word(plain, word.line(), word.column()));
        prefix.filter(Prefix::hasHostBits)
                .ifPresent(wide -> report.warning(
                        word,
                        "AllowedIPs: " + wide + " has bits behind its length, it counts as " + wide.network(),
                        "write " + wide.network() + ", or " + Prefix.host(wide.address()) + " for the one address"));
        return prefix.map(Prefix::network);
    }

    private void claim(Word word, Prefix prefix) {
        Integer earlier = lineOfPrefix.putIfAbsent(prefix, word.line());
        if (earlier != null) {
            report.error(
                    word,
                    "AllowedIPs: the peer of line " + earlier + " has " + prefix + " too, only the last would get it",
                    "leave it to one peer; for fail-over, write one file for each server");
        }
    }

    private OptionalInt keepalive(Section section) {
        Optional<Entry> entry = section.last(Key.PERSISTENT_KEEPALIVE);
        OptionalLong seconds = entry.isEmpty()
                ? OptionalLong.empty()
                : values.number(entry.get(), 0, 65535, "write seconds, such as 25, or off");
        return seconds.orElse(0) == 0 ? OptionalInt.empty() : OptionalInt.of((int) seconds.getAsLong());
    }
}
