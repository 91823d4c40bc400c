// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.List;
import java.util.stream.Collectors;

/** Generates the syntax of {@code nft -f}, to be read, or loaded by hand to the same effect. */
public final class NftText {

    private NftText() {}

    /** Returns a script that replaces each table, whether it exists or not, in one transaction. */
    public static String of(List<Table> tables) {
        StringBuilder text = new StringBuilder();
        for (Table table : tables) {
            text.append("table ").append(table.id()).append('\n');
            text.append("delete table ").append(table.id()).append('\n');
        }
        for (Table table : tables) {
            text.append("table ").append(table.id()).append(" {\n");
            table.sets().forEach(set -> set(text, set));
            table.chains().forEach(chain -> chain(text, chain));
            text.append("}\n");
        }
        return text.toString();
    }

    private static void set(StringBuilder text, NamedSet set) {
        text.append("\tset ").append(set.name()).append(" {\n");
        text.append("\t\ttype ").append(set.type()).append('\n');
        if (set.interval()) {
            text.append("\t\tflags interval\n");
        }
        if (set.timeoutSeconds() > 0) {
            text.append("\t\tflags timeout\n");
        }
        if (!set.elements().isEmpty()) {
            String timeout = set.timeoutSeconds() > 0 ? " timeout " + set.timeoutSeconds() + "s" : "";
            text.append("\t\telements = { ")
                    .append(set.elements().stream()
                            .map(element -> value(element) + timeout)
                            .collect(Collectors.joining(",\n\t\t\t     ")))
                    .append(" }\n");
        }
        text.append("\t}\n");
    }

    private static void chain(StringBuilder text, Chain chain) {
        text.append("\tchain ").append(chain.name()).append(" {\n");
        chain.base()
                .ifPresent(base -> text.append("\t\ttype ")
                        .append(base.type())
                        .append(" hook ")
                        .append(base.hook())
                        .append(" priority ")
                        .append(base.priority())
                        .append("; policy ")
                        .append(base.policy())
                        .append(";\n"));
        for (NftRule rule : chain.rules()) {
            text.append("\t\t")
                    .append(rule.statements().stream().map(NftText::statement).collect(Collectors.joining(" ")))
                    .append(" comment \"")
                    .append(rule.comment())
                    .append("\"\n");
        }
        text.append("\t}\n");
    }

    /** Returns a statement of a rule. */
    static String statement(Statement statement) {
        return switch (statement) {
            case Statement.Match(MatchField field, boolean equal, NftValue value) ->
                field(field) + (equal ? operator(field) : " != ") + value(value);
            case Statement.Verdict verdict -> verdict.toString();
            case Statement.Counter() -> "counter";
            case Statement.Jump(String chain) -> "jump " + chain;
            case Statement.Reject() -> "reject with icmpx admin-prohibited";
            case Statement.MarkConnection(long bits) -> "ct mark set ct mark | " + hexadecimal(bits);
            case Statement.Masquerade() -> "masquerade random";
            case Statement.SendTo(InetAddress address) ->
                "dnat " + (Family.of(address) == Family.IPV4 ? "ip" : "ip6") + " to " + Prefix.text(address);
            case Statement.Redirect(int port) -> "redirect to :" + port;
            case Statement.ClampMss() -> "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu";
        };
    }

    /** Returns the operator; equality is the default in nft, except after a mask. */
    private static String operator(MatchField field) {
        return field instanceof MatchField.Masked ? " == " : " ";
    }

    private static String field(MatchField field) {
        return switch (field) {
            case MatchField.Property key -> key.text();
            case MatchField.Masked(MatchField.Property key, long mask) -> key.text() + " & " + hexadecimal(mask);
            case MatchField.Joined(List<MatchField.Property> keys) ->
                keys.stream().map(MatchField.Property::text).collect(Collectors.joining(" . "));
        };
    }

    static String value(NftValue value) {
        return switch (value) {
            case NftValue.Decimal(long number) -> Long.toString(number);
            case NftValue.Bits(long bits) -> hexadecimal(bits);
            case NftValue.Word word -> word.word();
            case NftValue.Link(String name) -> "\"" + name + "\"";
            case NftValue.In(String set) -> "@" + set;
            case NftValue.Address(Prefix prefix) -> prefix.isHost() ? Prefix.text(prefix.address()) : prefix.toString();
            case NftValue.AnyOf(List<NftValue> values) ->
                values.stream().map(NftText::value).collect(Collectors.joining(", ", "{ ", " }"));
            case NftValue.Tuple(List<NftValue> parts) ->
                parts.stream().map(NftText::value).collect(Collectors.joining(" . "));
        };
    }

    private static String hexadecimal(long bits) {
        return String.format("0x%08x", bits);
    }
}
