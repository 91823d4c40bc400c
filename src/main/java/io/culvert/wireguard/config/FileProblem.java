// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.diagnostics.Problem.Kind;
import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.Key.Header;
import java.nio.charset.Charset;
import java.util.List;
import java.util.Optional;

/**
 * A problem of a wg-quick file, as data; {@link FileProblemText} words it.
 *
 * @param line from 1; 0 for the whole file
 * @param column from 1; 0 for the whole file
 */
record FileProblem(Kind kind, int line, int column, Reason reason) {

    /** What is wrong or notable. Texts in it may be shown: they contain no secret. */
    sealed interface Reason {

        /** Reasons that need no further data. */
        enum Plain implements Reason {
            DIRECTORY,
            FILE_NOT_FOUND,
            PERMISSION_DENIED,
            TOO_LARGE,
            BINARY,
            BYTE_ORDER_MARK,
            WINDOWS_LINE_ENDINGS,
            EMPTY_FILE,
            NO_SECTION,
            NO_INTERFACE,
            NO_PEER,
            SECOND_INTERFACE,
            BEFORE_FIRST_SECTION,
            SEMICOLON_COMMENT,
            NOT_KEY_VALUE,
            NO_KEY_NAME,
            PUBLIC_KEY_IN_INTERFACE,
            SECOND_PUBLIC_KEY,
            PORT_FORWARDING,
            RESERVED_BYTES,
            NO_PRIVATE_KEY,
            NO_ADDRESS,
            SAVE_CONFIG,
            NO_PUBLIC_KEY,
            NO_ALLOWED_IPS,
            OWN_PUBLIC_KEY,
            EMPTY_LIST_ENTRY
        }

        record Unreadable(String cause) implements Reason {}

        record InvalidCharacters(Charset charset) implements Reason {}

        record OtherEncoding(Charset charset) implements Reason {}

        record InvisibleCharacter(char character) implements Reason {}

        record UnusualSpace(char character) implements Reason {}

        /** @param intended the section with a similar name */
        record UnknownSection(Optional<Header> intended) implements Reason {}

        /**
         * @param shown the name, unless it may be a part of a key
         * @param intended the key with a similar name
         */
        record UnknownKey(Optional<String> shown, Optional<Key> intended) implements Reason {}

        record WrongSection(Key key, Header section) implements Reason {}

        record SetBefore(Key key, int earlierLine) implements Reason {}

        record NoValue(Key key) implements Reason {}

        record LooksLikeKey(Key key) implements Reason {}

        record ServerName(String name) implements Reason {}

        record HookNotRun(Hook hook) implements Reason {}

        /** @param keys the keys that make the file incompatible */
        record AmneziaRequired(List<String> keys) implements Reason {}

        record AmneziaIgnored(List<String> keys) implements Reason {}

        record AndroidOnly(String key) implements Reason {}

        record Placeholder(Key key) implements Reason {}

        record InvalidKey(Key key, String fault) implements Reason {}

        record ZeroKey(Key key) implements Reason {}

        record KeyUsedBefore(int earlierLine) implements Reason {}

        record NotInRange(Key key, String text, long min, long max) implements Reason {}

        record NotBoolean(Key key, String text) implements Reason {}

        record NotInterfaceAddress(Key key, String text) implements Reason {}

        record RemovesPrefix(String text) implements Reason {}

        record SeveralPrefixes(String text) implements Reason {}

        record HostBits(Prefix prefix) implements Reason {}

        record PrefixUsedBefore(Prefix prefix, int earlierLine) implements Reason {}

        record NoBrackets(Endpoint endpoint) implements Reason {}

        record NotServerAddress(Host host) implements Reason {}

        record TooLong(Key key, Form form, int length) implements Reason {}

        /** @param correction how to correct it, if that is more precise than the form */
        record Malformed(Key key, Form form, String fault, Optional<String> correction) implements Reason {}

        /** The number of problems beyond those that are listed. */
        record More(int count) implements Reason {}
    }

    /** What a value has to be. */
    enum Form {
        PREFIX,
        ADDRESS,
        DOMAIN,
        ENDPOINT
    }

    FileProblem(Kind kind, FileWord at, Reason reason) {
        this(kind, at.line(), at.column(), reason);
    }
}
