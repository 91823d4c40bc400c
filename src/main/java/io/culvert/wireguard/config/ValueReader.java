// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.MalformedText;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.Section.Entry;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** Parses single values. Invalid values are reported and returned as empty; empty words have been reported before. */
final class ValueReader {

    /** The longest value that is shown; longer than any address or host name. */
    private static final int MAX_LENGTH = 300;

    private static final String PLACEHOLDER =
            "(?i).*(key|your|here|insert|change|replace|redact|hidden|secret|xxxx|\\.\\.\\.|\\*\\*\\*|[<>{}$]).*";

    private final FileProblems report;

    ValueReader(FileProblems report) {
        this.report = report;
    }

    Optional<SecretKey> secretKey(Entry entry) {
        return key(entry, SecretKey::parse).filter(key -> isSet(entry, key.bytes()));
    }

    Optional<PublicKey> publicKey(Entry entry) {
        return key(entry, PublicKey::parse).filter(key -> isSet(entry, key.bytes()));
    }

    private <T> Optional<T> key(Entry entry, Function<String, T> parse) {
        String text = entry.value().compact();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(parse.apply(text));
        } catch (IllegalArgumentException e) {
            boolean oneCharacter =
                    text.chars().limit(text.length() - 1L).distinct().count() <= 1;
            boolean placeholder = oneCharacter || (text.length() < 43 && text.matches(PLACEHOLDER));
            report.error(
                    entry.value(),
                    entry.key() + (placeholder ? " is a placeholder" : ": " + e.getMessage()),
                    "copy the complete key again");
            return Optional.empty();
        }
    }

    private boolean isSet(Entry entry, byte[] bytes) {
        boolean isNonZero = !Arrays.equals(bytes, new byte[bytes.length]);
        if (!isNonZero) {
            report.error(entry.value(), entry.key() + " is all zeros", "copy the complete key again");
        }
        return isNonZero;
    }

    /** Parses a decimal number, or a hexadecimal one with {@code 0x}; {@code off} is 0 where {@code min} is 0. */
    OptionalLong number(Entry entry, long min, long max, String hint) {
        String text = entry.value().compact();
        if (text.isEmpty()) {
            return OptionalLong.empty();
        }
        if (min == 0 && text.equalsIgnoreCase("off")) {
            return OptionalLong.of(0);
        }
        long number = -1;
        if (text.matches("[0-9]{1,18}")) {
            number = Long.parseLong(text);
        } else if (text.matches("0[xX][0-9a-fA-F]{1,8}")) {
            number = Long.parseLong(text.substring(2), 16);
        }
        if (number < min || number > max) {
            reportInvalid(entry, entry.value(), "is not a number from " + min + " to " + max, hint);
            return OptionalLong.empty();
        }
        return OptionalLong.of(number);
    }

    Optional<Prefix> prefix(Entry entry, FileWord word) {
        return read(entry, word, Prefix::parse, "write address/length, such as 10.64.0.2/32");
    }

    Optional<InetAddress> address(Entry entry, FileWord word) {
        return read(entry, word, Prefix::parseAddress, "write an address, such as 10.64.0.1");
    }

    Optional<String> domain(Entry entry, FileWord word) {
        return read(entry, word, text -> Host.parse(text).toString(), "write a domain, such as home.arpa");
    }

    Optional<Endpoint> endpoint(Entry entry) {
        String text = entry.value().compact();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        FileWord word = new FileWord(text, entry.value().line(), entry.value().column());
        Optional<Endpoint> endpoint = withoutBrackets(text);
        if (endpoint.isPresent()) {
            report.warning(
                    word,
                    "Endpoint: IPv6 address without brackets, the last group is read as the port",
                    "use " + endpoint.get());
        } else {
            endpoint = read(
                    entry, word, Endpoint::parse, "write host:port, such as 192.0.2.10:51820 or [2001:db8::10]:51820");
        }
        return endpoint.filter(read -> isServerAddress(read, word));
    }

    private boolean isServerAddress(Endpoint endpoint, FileWord word) {
        boolean isInvalid = endpoint.host() instanceof Host.Literal(InetAddress address)
                && (address.isAnyLocalAddress() || address.isMulticastAddress() || isBroadcast(address));
        if (isInvalid) {
            report.error(
                    word,
                    "Endpoint: " + endpoint.host() + " is not the address of a server",
                    "use the address of the server");
        }
        return !isInvalid;
    }

    /** 255.255.255.255: all hosts of the link (RFC 919, section 7). */
    private static boolean isBroadcast(InetAddress address) {
        return Arrays.equals(address.getAddress(), new byte[] {-1, -1, -1, -1});
    }

    /** Parses {@code 2001:db8::1:51820}, where wg(8) takes what follows the last colon as the port. */
    private static Optional<Endpoint> withoutBrackets(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 0 || text.startsWith("[")) {
            return Optional.empty();
        }
        try {
            Endpoint endpoint = Endpoint.parse("[" + text.substring(0, colon) + "]" + text.substring(colon));
            boolean literal =
                    endpoint.host() instanceof Host.Literal(InetAddress address) && Family.of(address) == Family.IPV6;
            return literal ? Optional.of(endpoint) : Optional.empty();
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    void reportInvalid(Entry entry, FileWord word, String why, String hint) {
        String shown = word.text().length() > MAX_LENGTH ? "this value" : "'" + word.text() + "'";
        report.error(word, entry.key() + ": " + shown + " " + why, hint);
    }

    private <T> Optional<T> read(Entry entry, FileWord word, Function<String, T> parse, String hint) {
        if (word.text().length() > MAX_LENGTH) {
            reportInvalid(entry, word, "has " + word.text().length() + " characters", hint);
            return Optional.empty();
        }
        try {
            return Optional.of(parse.apply(word.text()));
        } catch (MalformedText e) {
            report.error(word, entry.key() + ": " + e.fault(), e.correction());
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            report.error(word, entry.key() + ": " + e.getMessage(), hint);
            return Optional.empty();
        }
    }
}
