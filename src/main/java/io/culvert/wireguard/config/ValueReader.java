// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.net.Endpoint;
import io.culvert.net.Family;
import io.culvert.net.Host;
import io.culvert.net.MalformedText;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.FileProblem.Form;
import io.culvert.wireguard.config.FileProblem.Reason;
import io.culvert.wireguard.config.Section.Entry;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/** Parses single values. Invalid values are reported and returned as empty; empty words have been reported before. */
final class ValueReader {

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
                    placeholder
                            ? new Reason.Placeholder(entry.key())
                            : new Reason.InvalidKey(entry.key(), String.valueOf(e.getMessage())));
            return Optional.empty();
        }
    }

    private boolean isSet(Entry entry, byte[] bytes) {
        boolean isNonZero = !Arrays.equals(bytes, new byte[bytes.length]);
        if (!isNonZero) {
            report.error(entry.value(), new Reason.ZeroKey(entry.key()));
        }
        return isNonZero;
    }

    /** Parses a decimal number, or a hexadecimal one with {@code 0x}; {@code off} is 0 where {@code min} is 0. */
    OptionalLong number(Entry entry, long min, long max) {
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
            report.error(
                    entry.value(),
                    new Reason.NotInRange(entry.key(), entry.value().text(), min, max));
            return OptionalLong.empty();
        }
        return OptionalLong.of(number);
    }

    Optional<Prefix> prefix(Entry entry, FileWord word) {
        return read(entry, word, Form.PREFIX, Prefix::parse);
    }

    Optional<InetAddress> address(Entry entry, FileWord word) {
        return read(entry, word, Form.ADDRESS, Prefix::parseAddress);
    }

    Optional<String> domain(Entry entry, FileWord word) {
        return read(entry, word, Form.DOMAIN, text -> Host.parse(text).toString());
    }

    Optional<Endpoint> endpoint(Entry entry) {
        String text = entry.value().compact();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        FileWord word = new FileWord(text, entry.value().line(), entry.value().column());
        Optional<Endpoint> endpoint = withoutBrackets(text);
        if (endpoint.isPresent()) {
            report.warning(word, new Reason.NoBrackets(endpoint.get()));
        } else {
            endpoint = read(entry, word, Form.ENDPOINT, Endpoint::parse);
        }
        return endpoint.filter(read -> isServerAddress(read, word));
    }

    private boolean isServerAddress(Endpoint endpoint, FileWord word) {
        boolean isInvalid = endpoint.host() instanceof Host.Literal(InetAddress address)
                && (address.isAnyLocalAddress() || address.isMulticastAddress() || isBroadcast(address));
        if (isInvalid) {
            report.error(word, new Reason.NotServerAddress(endpoint.host()));
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

    private <T> Optional<T> read(Entry entry, FileWord word, Form form, Function<String, T> parse) {
        if (word.text().length() > FileProblemText.MAX_LENGTH) {
            report.error(word, new Reason.TooLong(entry.key(), form, word.text().length()));
            return Optional.empty();
        }
        try {
            return Optional.of(parse.apply(word.text()));
        } catch (MalformedText e) {
            report.error(word, new Reason.Malformed(entry.key(), form, e.fault(), Optional.of(e.correction())));
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            report.error(
                    word, new Reason.Malformed(entry.key(), form, String.valueOf(e.getMessage()), Optional.empty()));
            return Optional.empty();
        }
    }
}
