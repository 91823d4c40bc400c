// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** The text of a resolv.conf that Culvert writes: the servers, and in comments the original and the tunnels' claims. */
final class ResolvConfText {

    /** The first line of the written file; identifies it after a SIGKILL. */
    private static final String MARKER =
            "# Written by culvert: DNS queries go through the tunnel. What follows '#|' is the original.";

    static final String ORIGINAL_LINE = "#|";

    /** The prefix of a last original line that has no line feed. */
    private static final String ORIGINAL_WITHOUT_NEWLINE = "#>";

    /** The prefix of the HMAC that authenticates the original. */
    static final String HMAC_LINE = "#=";

    /** The prefix of a line with the servers of one of several tunnels. */
    private static final String CLAIM_LINE = "#+";

    private ResolvConfText() {}

    /** The settings of a tunnel in the file. */
    record Claim(List<InetAddress> nameservers, List<String> search) {

        /** Returns a comment line; interfaces, addresses and domains contain no spaces. */
        String line(String owner) {
            List<String> words = new ArrayList<>();
            words.add(owner);
            nameservers.forEach(server -> words.add(Prefix.text(server)));
            search.forEach(domain -> words.add("." + domain));
            return CLAIM_LINE + String.join(" ", words) + "\n";
        }

        static Claim of(List<String> words) {
            return new Claim(
                    words.stream()
                            .filter(word -> !word.startsWith("."))
                            .map(Prefix::parseAddress)
                            .toList(),
                    words.stream()
                            .filter(word -> word.startsWith("."))
                            .map(word -> word.substring(1))
                            .toList());
        }
    }

    /** Returns the file with the servers of the last claim, and all claims. */
    static String render(String original, SequencedMap<String, Claim> claims) {
        Claim last = claims.lastEntry().getValue();
        StringBuilder text = new StringBuilder(render(original, last.nameservers(), last.search()));
        claims.forEach((owner, claim) -> text.append(claim.line(owner)));
        return text.toString();
    }

    /** Returns the claims in a file by tunnel; none if Culvert has not written it. */
    static SequencedMap<String, Claim> claims(String text) {
        SequencedMap<String, Claim> claims = new LinkedHashMap<>();
        if (isWrittenByCulvert(text)) {
            text.lines().filter(line -> line.startsWith(CLAIM_LINE)).forEach(line -> {
                List<String> words = List.of(line.substring(CLAIM_LINE.length()).split(" ", -1));
                claims.put(words.getFirst(), Claim.of(words.subList(1, words.size())));
            });
        }
        return claims;
    }

    /** Returns the file with these servers and search domains, and the original in comments. */
    static String render(String original, List<InetAddress> nameservers, List<String> search) {
        StringBuilder text = new StringBuilder(MARKER).append('\n');
        nameservers.forEach(
                server -> text.append("nameserver ").append(Prefix.text(server)).append('\n'));
        List<String> domains = new ArrayList<>(search);
        domains.addAll(ResolvConf.parse(original).search());
        if (!domains.isEmpty()) {
            text.append("search ")
                    .append(String.join(" ", domains.stream().distinct().toList()))
                    .append('\n');
        }
        original.lines()
                .filter(line -> line.startsWith("options"))
                .forEach(line -> text.append(line).append('\n'));
        int start = 0;
        for (int end = original.indexOf('\n'); end >= 0; end = original.indexOf('\n', start)) {
            text.append(ORIGINAL_LINE).append(original, start, end + 1);
            start = end + 1;
        }
        if (start < original.length()) {
            text.append(ORIGINAL_WITHOUT_NEWLINE)
                    .append(original, start, original.length())
                    .append('\n');
        }
        return text.toString();
    }

    /** Returns the original in a file, which is the whole text if Culvert has not written it. */
    static String original(String text) {
        if (!isWrittenByCulvert(text)) {
            return text;
        }
        StringBuilder original = new StringBuilder();
        for (String line : text.split("\n", -1)) {
            if (line.startsWith(ORIGINAL_LINE)) {
                original.append(line.substring(ORIGINAL_LINE.length())).append('\n');
            } else if (line.startsWith(ORIGINAL_WITHOUT_NEWLINE)) {
                original.append(line.substring(ORIGINAL_WITHOUT_NEWLINE.length()));
            }
        }
        return original.toString();
    }

    static boolean isWrittenByCulvert(String text) {
        return text.startsWith(MARKER + "\n");
    }
}
