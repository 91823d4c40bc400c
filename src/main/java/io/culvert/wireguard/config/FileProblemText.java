// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.diagnostics.Counted;
import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problem.Kind;
import io.culvert.net.Prefix;
import io.culvert.wireguard.config.FileProblem.Form;
import io.culvert.wireguard.config.FileProblem.Reason;
import io.culvert.wireguard.config.FileProblem.Reason.Plain;
import java.nio.file.Path;

/** Words the problems of a wg-quick file; all sentences about one are here. */
final class FileProblemText {

    /** The longest value that is shown; longer than any address or host name. */
    static final int MAX_LENGTH = 300;

    private static final String PROVIDERS_FILE = "use the WireGuard configuration file of your provider";

    private static final String PLAIN_FILE = "if there is no handshake, get a plain WireGuard file";

    private static final String COPY_KEY = "copy the complete key again";

    private static final String CORRECT_LINE = "correct this line, or comment it out with '#'";

    private final Path file;
    private final FileUse use;

    FileProblemText(Path file, FileUse use) {
        this.file = file;
        this.use = use;
    }

    /** @param hint empty for a note */
    private record Text(String message, String hint) {}

    Problem of(FileProblem problem) {
        Location location = Location.file(file, problem.line(), problem.column());
        if (problem.reason() instanceof Reason.HookNotRun(Hook hook)) {
            return use.hookProblem(hook, location);
        }
        Text text = problem.reason() instanceof Plain plain
                ? plain(plain, problem.kind() == Kind.NOTE)
                : text(problem.reason());
        return new Problem(problem.kind(), location, text.message, text.hint);
    }

    private static Text worded(String message, String hint) {
        return new Text(message, hint);
    }

    private static Text note(String message) {
        return new Text(message, "");
    }

    /** @param isNote whether what is missing may be added elsewhere */
    private static Text plain(Plain reason, boolean isNote) {
        return switch (reason) {
            case DIRECTORY -> worded("this is a directory, not a file", "name a file in this directory");
            case FILE_NOT_FOUND -> worded("file not found", Hints.here().missingFile());
            case PERMISSION_DENIED ->
                worded("permission denied", "make the file readable for the user that runs Culvert");
            case TOO_LARGE -> worded("this file is larger than 1 MiB, so it is not a WireGuard file", "check the name");
            case BINARY -> worded("this is a binary file", PROVIDERS_FILE + ", which is a text file");
            case BYTE_ORDER_MARK -> note("this file begins with a byte order mark, which wg(8) cannot read");
            case WINDOWS_LINE_ENDINGS -> note("this file has Windows line endings (CRLF)");
            case EMPTY_FILE -> worded("this file is empty", PROVIDERS_FILE);
            case NO_SECTION ->
                worded("this is not a WireGuard file: it has neither [Interface] nor [Peer]", PROVIDERS_FILE);
            case NO_INTERFACE -> worded("no [Interface] section", "add one with PrivateKey and Address");
            case NO_PEER ->
                isNote
                        ? note("no [Peer] section: the tunnel carries no traffic until a peer is added")
                        : worded("no [Peer] section", "add the section of your server");
            case SECOND_INTERFACE ->
                worded("second [Interface] section, merged into the first", "merge the two sections");
            case BEFORE_FIRST_SECTION ->
                worded("this line is before the first section", "add a line [Interface] above it");
            case SEMICOLON_COMMENT -> worded("';' does not begin a comment in a WireGuard file", "use '#' instead");
            case NOT_KEY_VALUE -> worded("this line is not of the form 'Key = value'", CORRECT_LINE);
            case NO_KEY_NAME -> worded("no key before '='", CORRECT_LINE);
            case PUBLIC_KEY_IN_INTERFACE ->
                worded("PublicKey does not belong in [Interface]", "add a line [Peer] above it");
            case SECOND_PUBLIC_KEY ->
                worded("second PublicKey in one [Peer] section", "start each peer with a line [Peer]");
            case PORT_FORWARDING ->
                note("port forwarding (NAT-PMP) is on for this key: Culvert does not request a port");
            case RESERVED_BYTES ->
                worded(
                        "Reserved is not supported by WireGuard: the server may not answer without these bytes",
                        PLAIN_FILE);
            case NO_PRIVATE_KEY -> worded("[Interface] has no PrivateKey", "add the private key of this interface");
            case NO_ADDRESS ->
                isNote
                        ? note("[Interface] has no Address: the tunnel cannot be used until its interface has one")
                        : worded(
                                "[Interface] has no Address",
                                "add the address assigned to this interface, such as 10.64.0.2/32");
            case SAVE_CONFIG -> note("SaveConfig is ignored: Culvert never writes this file");
            case NO_PUBLIC_KEY -> worded("[Peer] has no PublicKey", "add the public key of the server");
            case NO_ALLOWED_IPS ->
                worded(
                        "[Peer] has no AllowedIPs: no traffic is sent to this peer",
                        "add AllowedIPs = 0.0.0.0/0, ::/0 for all traffic");
            case OWN_PUBLIC_KEY ->
                worded("PublicKey is the key of this interface, not of the peer", "use the public key of the server");
            case EMPTY_LIST_ENTRY -> worded("AllowedIPs: empty entry in the list", "delete the extra comma");
        };
    }

    private static Text text(Reason reason) {
        return switch (reason) {
            case Reason.Unreadable(var cause) ->
                worded("cannot read this file: " + cause, "check the disk and the mount");
            case Reason.InvalidCharacters(var charset) ->
                note("invalid " + charset + " characters were replaced by '\uFFFD'");
            case Reason.OtherEncoding(var charset) ->
                note("this file is encoded in " + charset + ", which wg(8) cannot read");
            case Reason.InvisibleCharacter(char character) ->
                worded("invisible character U+%04X".formatted((int) character), "delete it, or retype the line");
            case Reason.UnusualSpace(char character) ->
                note("unusual space character U+%04X, treated as a space".formatted((int) character));
            case Reason.UnknownSection(var intended) ->
                worded(
                        "unknown section",
                        intended.map(header -> "did you mean " + header + "?").orElse("use [Interface] or [Peer]"));
            case Reason.UnknownKey(var shown, var intended) ->
                worded(
                        "unknown key" + shown.map(name -> " '" + name + "'").orElse(""),
                        intended.map(key -> "did you mean " + key + "?").orElse(CORRECT_LINE));
            case Reason.WrongSection(var key, var section) ->
                worded(key + " does not belong in " + section, "move this line to " + key.header());
            case Reason.SetBefore(var key, int earlierLine) ->
                worded(
                        key + " is also set in line " + earlierLine + ": the last value applies",
                        "delete one of the lines");
            case Reason.NoValue(var key) -> noValue(key);
            case Reason.LooksLikeKey(var key) ->
                worded(key + ": this value looks like a key", "check whether two lines were mixed up");
            case Reason.ServerName(var name) -> note("the provider calls this server " + name);
            case Reason.AmneziaRequired(var keys) ->
                worded(
                        "this file requires AmneziaWG, which is not compatible with WireGuard: "
                                + String.join(", ", keys),
                        "get a plain WireGuard file from your provider");
            case Reason.AmneziaIgnored(var keys) ->
                worded(
                        "ignoring AmneziaWG keys, which the server may not require: " + String.join(", ", keys),
                        PLAIN_FILE);
            case Reason.AndroidOnly(var key) -> worded(key + " applies to the Android app only", "delete this line");
            case Reason.Placeholder(var key) -> worded(key + " is a placeholder", COPY_KEY);
            case Reason.InvalidKey(var key, var fault) -> worded(key + ": " + fault, COPY_KEY);
            case Reason.ZeroKey(var key) -> worded(key + " is all zeros", COPY_KEY);
            case Reason.KeyUsedBefore(int earlierLine) ->
                worded("PublicKey is already used in line " + earlierLine, "merge the two [Peer] sections");
            case Reason.NotInRange(var key, var text, long min, long max) ->
                worded(invalid(key, text, "is not a number from " + min + " to " + max), numberHint(key));
            case Reason.NotBoolean(var key, var text) ->
                worded(invalid(key, text, "is neither true nor false"), "use true or false, or delete this line");
            case Reason.NotInterfaceAddress(var key, var text) ->
                worded(
                        invalid(key, text, "cannot be the address of a tunnel interface"),
                        "use the address assigned to this interface");
            case Reason.RemovesPrefix(var text) ->
                worded(
                        invalid(Key.ALLOWED_IPS, text, "removes a prefix, which is not possible in a file"),
                        "delete it");
            case Reason.SeveralPrefixes(var text) ->
                worded(invalid(Key.ALLOWED_IPS, text, "is not a single prefix"), "separate prefixes by commas");
            case Reason.HostBits(var prefix) ->
                worded(
                        "AllowedIPs: " + prefix + " has host bits set, treated as " + prefix.network(),
                        "use " + prefix.network() + ", or " + Prefix.host(prefix.address()) + " for a single address");
            case Reason.PrefixUsedBefore(var prefix, int earlierLine) ->
                worded(
                        "AllowedIPs: " + prefix + " is also assigned to the peer in line " + earlierLine
                                + "; only one peer can have it",
                        "assign it to one peer; for fail-over, use one file per server");
            case Reason.NoBrackets(var endpoint) ->
                worded(
                        "Endpoint: IPv6 address without brackets, the last group is read as the port",
                        "use " + endpoint);
            case Reason.NotServerAddress(var host) ->
                worded("Endpoint: " + host + " is not the address of a server", "use the address of the server");
            case Reason.TooLong(var key, var form, int length) ->
                worded(key + ": this value has " + length + " characters", formHint(form));
            case Reason.Malformed(var key, var form, var fault, var correction) ->
                worded(key + ": " + fault, correction.orElse(formHint(form)));
            case Reason.More(int count) ->
                worded("and " + Counted.of(count, "more problem"), "check that this is a WireGuard file");
            case Plain _, Reason.HookNotRun _ -> throw new IllegalArgumentException("worded elsewhere: " + reason);
        };
    }

    private static Text noValue(Key key) {
        return switch (key) {
            case ALLOWED_IPS ->
                worded("AllowedIPs is empty: no traffic is sent to this peer", "use 0.0.0.0/0, ::/0 for all traffic");
            case DNS, MTU, TABLE, PRE_UP, POST_UP, PRE_DOWN, POST_DOWN ->
                worded(key + " has no value: this line is ignored", "add a value, or delete this line");
            default -> worded(key + " has no value", "add a value, or delete this line");
        };
    }

    private static String invalid(Key key, String text, String why) {
        return key + ": " + (text.length() > MAX_LENGTH ? "this value" : "'" + text + "'") + " " + why;
    }

    private static String numberHint(Key key) {
        return switch (key) {
            case LISTEN_PORT -> "use a port, or 0 for a random one";
            case MTU -> "use a size in bytes, such as 1420, or delete this line";
            case FW_MARK -> "use a decimal number, a hexadecimal one with 0x, or off";
            case TABLE -> "use a table number, main, auto or off";
            case PERSISTENT_KEEPALIVE -> "use a number of seconds, such as 25, or off";
            default -> throw new IllegalArgumentException("not a number: " + key);
        };
    }

    private static String formHint(Form form) {
        return switch (form) {
            case PREFIX -> "write address/length, such as 10.64.0.2/32";
            case ADDRESS -> "write an address, such as 10.64.0.1";
            case DOMAIN -> "write a domain, such as home.arpa";
            case ENDPOINT -> "write host:port, such as 192.0.2.10:51820 or [2001:db8::10]:51820";
        };
    }
}
