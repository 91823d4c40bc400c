// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import jakarta.json.JsonArray;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonValue;
import jakarta.json.spi.JsonProvider;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Generates the JSON of libnftables (libnftables-json(5)), an encoder of rulesets that is independent of Culvert's own.
 * With numbers where nft has names: they depend neither on the library's version nor on files such as /etc/protocols.
 */
final class NftJson {

    /** {@code SYN} and {@code RST} of TCP's flags (RFC 9293, section 3.1). */
    private static final int SYN = 2;

    private static final int RST = 4;

    /** Cached, because looking it up takes longer than most of its work. */
    static final JsonProvider JSON = JsonProvider.provider();

    private NftJson() {}

    /** Returns a script that creates tables in one transaction. */
    static String create(List<Table> tables) {
        JsonArrayBuilder commands = JSON.createArrayBuilder();
        tables.forEach(table -> objects(table)
                .forEach(object -> commands.add(JSON.createObjectBuilder().add("add", object))));
        return JSON.createObjectBuilder().add("nftables", commands).build().toString();
    }

    /** Returns the objects of a table, in the form of a listing. */
    static List<JsonObject> objects(Table table) {
        List<JsonObject> objects = new ArrayList<>();
        objects.add(named("table", table(table.id())));
        for (NamedSet set : table.sets()) {
            objects.add(named("set", set(table.id(), set)));
        }
        for (Chain chain : table.chains()) {
            objects.add(named("chain", chain(table.id(), chain)));
        }
        for (Chain chain : table.chains()) {
            for (NftRule rule : chain.rules()) {
                objects.add(named("rule", rule(table.id(), chain, rule)));
            }
        }
        return objects;
    }

    private static JsonObject named(String kind, JsonObjectBuilder object) {
        return JSON.createObjectBuilder().add(kind, object).build();
    }

    private static JsonObjectBuilder table(Table.Id id) {
        return JSON.createObjectBuilder().add("family", id.family().toString()).add("name", id.name());
    }

    private static JsonObjectBuilder inTable(Table.Id id) {
        return JSON.createObjectBuilder().add("family", id.family().toString()).add("table", id.name());
    }

    private static JsonObjectBuilder set(Table.Id id, NamedSet set) {
        JsonArrayBuilder type = JSON.createArrayBuilder();
        set.key().forEach(part -> type.add(part.toString()));
        JsonObjectBuilder object = inTable(id).add("name", set.name());
        if (set.key().size() == 1) {
            object.add("type", set.type());
        } else {
            object.add("type", type);
        }
        if (set.interval()) {
            object.add("flags", JSON.createArrayBuilder().add("interval"));
        }
        if (set.timeoutSeconds() > 0) {
            object.add("flags", JSON.createArrayBuilder().add("timeout"));
        }
        if (!set.elements().isEmpty()) {
            object.add("elem", set.timeoutSeconds() > 0 ? elementsWithTimeout(set) : values(set.elements()));
        }
        return object;
    }

    private static JsonArray elementsWithTimeout(NamedSet set) {
        JsonArrayBuilder array = JSON.createArrayBuilder();
        set.elements()
                .forEach(element -> array.add(named(
                        "elem",
                        JSON.createObjectBuilder().add("val", value(element)).add("timeout", set.timeoutSeconds()))));
        return array.build();
    }

    private static JsonObjectBuilder chain(Table.Id id, Chain chain) {
        JsonObjectBuilder object = inTable(id).add("name", chain.name());
        chain.base()
                .ifPresent(base -> object.add("type", base.type().toString())
                        .add("hook", base.hook().toString())
                        .add("prio", base.priority())
                        .add("policy", base.policy().toString()));
        return object;
    }

    private static JsonObjectBuilder rule(Table.Id id, Chain chain, NftRule rule) {
        JsonArrayBuilder statements = JSON.createArrayBuilder();
        rule.statements().forEach(statement -> add(statements, statement));
        return inTable(id)
                .add("chain", chain.name())
                .add("comment", rule.comment())
                .add("expr", statements);
    }

    private static void add(JsonArrayBuilder statements, Statement statement) {
        switch (statement) {
            case Statement.Match(MatchField field, boolean equal, NftValue value) ->
                statements.add(match(field(field), equal ? "==" : "!=", value(value)));
            case Statement.Verdict verdict -> statements.add(valueless(verdict.toString()));
            case Statement.Counter() -> statements.add(valueless("counter"));
            case Statement.Jump(String chain) ->
                statements.add(named("jump", JSON.createObjectBuilder().add("target", chain)));
            case Statement.Reject() ->
                statements.add(named(
                        "reject",
                        JSON.createObjectBuilder()
                                .add("type", "icmpx")
                                .add("expr", Statement.Reject.ADMIN_PROHIBITED)));
            case Statement.MarkConnection(long bits) ->
                statements.add(named(
                        "mangle",
                        JSON.createObjectBuilder()
                                .add("key", field(MatchField.Property.CONNECTION_MARK))
                                .add(
                                        "value",
                                        JSON.createObjectBuilder()
                                                .add(
                                                        "|",
                                                        JSON.createArrayBuilder()
                                                                .add(field(MatchField.Property.CONNECTION_MARK))
                                                                .add(bits)))));
            case Statement.Masquerade() ->
                statements.add(named("masquerade", JSON.createObjectBuilder().add("flags", "random")));
            case Statement.SendTo(InetAddress address) ->
                statements.add(named(
                        "dnat",
                        JSON.createObjectBuilder()
                                .add("family", Family.of(address) == Family.IPV4 ? "ip" : "ip6")
                                .add("addr", Prefix.text(address))));
            case Statement.Redirect(int port) ->
                statements.add(named("redirect", JSON.createObjectBuilder().add("port", port)));
            case Statement.ClampMss() -> {
                JsonObjectBuilder flags = JSON.createObjectBuilder()
                        .add(
                                "&",
                                JSON.createArrayBuilder()
                                        .add(property("payload", "protocol", "tcp", "field", "flags"))
                                        .add(SYN | RST));
                statements.add(match(flags.build(), "==", JSON.createValue(SYN)));
                statements.add(named(
                        "mangle",
                        JSON.createObjectBuilder()
                                .add("key", property("tcp option", "name", "maxseg", "field", "size"))
                                .add(
                                        "value",
                                        named("rt", JSON.createObjectBuilder().add("key", "mtu")))));
            }
        }
    }

    private static JsonObject valueless(String name) {
        return JSON.createObjectBuilder().addNull(name).build();
    }

    private static JsonObject match(JsonValue left, String operator, JsonValue right) {
        return named(
                "match",
                JSON.createObjectBuilder().add("op", operator).add("left", left).add("right", right));
    }

    private static JsonObject field(MatchField field) {
        return switch (field) {
            case MatchField.Property key ->
                switch (key.group()) {
                    case "meta", "ct" ->
                        named(key.group(), JSON.createObjectBuilder().add("key", key.keyword()));
                    default -> property("payload", "protocol", key.group(), "field", key.keyword());
                };
            case MatchField.Masked(MatchField.Property key, long mask) ->
                JSON.createObjectBuilder()
                        .add("&", JSON.createArrayBuilder().add(field(key)).add(mask))
                        .build();
            case MatchField.Joined(List<MatchField.Property> keys) -> {
                JsonArrayBuilder parts = JSON.createArrayBuilder();
                keys.forEach(key -> parts.add(field(key)));
                yield JSON.createObjectBuilder().add("concat", parts).build();
            }
        };
    }

    private static JsonObject property(String kind, String key, String value, String otherKey, String otherValue) {
        return named(kind, JSON.createObjectBuilder().add(key, value).add(otherKey, otherValue));
    }

    private static JsonValue value(NftValue value) {
        return switch (value) {
            case NftValue.Decimal(long number) -> JSON.createValue(number);
            case NftValue.Bits(long bits) -> JSON.createValue(bits);
            case NftValue.Word word -> JSON.createValue(word.number());
            case NftValue.Link(String name) -> JSON.createValue(name);
            case NftValue.In(String set) -> JSON.createValue("@" + set);
            case NftValue.Address address -> address(address);
            case NftValue.AnyOf(List<NftValue> values) ->
                JSON.createObjectBuilder().add("set", values(values)).build();
            case NftValue.Tuple(List<NftValue> parts) ->
                JSON.createObjectBuilder().add("concat", values(parts)).build();
        };
    }

    private static JsonValue address(NftValue.Address address) {
        String text = Prefix.text(address.prefix().address());
        if (address.prefix().isHost()) {
            return JSON.createValue(text);
        }
        return named(
                "prefix",
                JSON.createObjectBuilder()
                        .add("addr", text)
                        .add("len", address.prefix().length()));
    }

    private static JsonArray values(List<NftValue> values) {
        JsonArrayBuilder array = JSON.createArrayBuilder();
        values.forEach(value -> array.add(value(value)));
        return array.build();
    }
}
