// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import java.util.EnumSet;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A hook of a wg-quick file: a command line that wg-quick would run. Culvert never runs it.
 *
 * @param key {@code PreUp}, {@code PostUp}, {@code PreDown} or {@code PostDown}
 * @param intent the purpose of the command, where it is recognized
 */
public record Hook(String key, String command, int line, Intent intent) {

    /** The usual purposes of hooks in providers' files. A command with several purposes gets the first of these. */
    public enum Intent {
        UNKNOWN,
        /** Lets local networks bypass the tunnel, as CULVERT_LAN_ALLOW does. */
        LAN_BYPASS,
        /** Forwards and masquerades the peers' packets, as the exit node does. */
        FORWARDING,
        /** Sets a DNS server, as the DNS stub does. */
        RESOLVER,
        /** Blocks traffic outside the tunnel, as Culvert's kill switch does. */
        KILL_SWITCH;

        /** Limits the input of the patterns; providers' commands are several times shorter. */
        private static final int MAX_LENGTH = 2000;

        private static final Pattern SEPARATOR = Pattern.compile("&&|\\|\\|?|;");
        private static final String TABLES = "ip6?tables(-nft|-legacy)? .*";
        private static final String PRIVATE =
                "(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.|169\\.254\\.|f[cd][0-9a-f]{2}:|fe80:)\\S*";

        /** Returns the intent of a command line, {@link #UNKNOWN} if any of its commands is not recognized. */
        public static Intent of(String command) {
            if (command.length() > MAX_LENGTH) {
                return UNKNOWN;
            }
            Set<Intent> intents = EnumSet.noneOf(Intent.class);
            SEPARATOR
                    .splitAsStream(command)
                    .map(part -> part.strip().replaceAll("\\s+", " "))
                    .filter(part -> !part.isEmpty())
                    .forEach(part -> intents.add(ofPartial(part)));
            return intents.stream().findFirst().orElse(UNKNOWN);
        }

        private static Intent ofPartial(String part) {
            boolean accepts = part.matches(TABLES + " (-d|--destination) " + PRIVATE + " .*-j ACCEPT.*");
            boolean fromOrToPrivate = part.matches("ip (-4 |-6 )?(route|rule) .*\\b" + PRIVATE + ".*")
                    || (accepts && !part.contains("FORWARD"));
            if (fromOrToPrivate) {
                return LAN_BYPASS;
            }
            boolean forwards = part.matches(TABLES + "-j (MASQUERADE|SNAT|TCPMSS).*")
                    || part.matches(TABLES + "FORWARD .*-j ACCEPT.*")
                    || part.matches("sysctl .*\\b(ip_forward|forwarding)\\b.*");
            if (forwards) {
                return FORWARDING;
            }
            if (part.matches("(resolvectl|systemd-resolve|resolvconf) .*")
                    || part.matches("(echo|printf|cp|mv) .*resolv\\.conf")) {
                return RESOLVER;
            }
            boolean blocks = part.matches(TABLES + " ! (-o|--out-interface) .*-j (REJECT|DROP).*")
                    || part.matches(TABLES + "-P (OUTPUT|INPUT|FORWARD) DROP")
                    || part.matches(TABLES + "OUTPUT .*-j (REJECT|DROP).*");
            return blocks ? KILL_SWITCH : UNKNOWN;
        }
    }

    /** Returns the program that the hook would run; the rest of the command line may contain secrets. */
    public String program() {
        return Stream.of(command.split("\\s+"))
                .filter(word -> word.matches("[A-Za-z0-9_./+-]{1,40}"))
                .findFirst()
                .orElse("…");
    }

    /** Returns the key and the program only, as arguments may contain secrets. */
    @Override
    public String toString() {
        return key + " = " + program() + " …";
    }
}
