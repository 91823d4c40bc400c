// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Prefix;
import jakarta.json.JsonArray;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Describes a ruleset in lines: tables, chains without their links (nft 1.0.6 omits these), rules by their handles, and named sets with their elements as bytes; of the
 * reader's result, and of nft's own listing in JSON ({@code nft -j -n -a list ruleset}).
 */
final class RulesetOutline {

    private static final Map<String, List<String>> HOOKS = Map.of(
            "netdev", List.of("ingress", "egress"),
            "arp", List.of("input", "output", "forward"));

    private static final List<String> IP_HOOKS =
            List.of("prerouting", "input", "forward", "output", "postrouting", "ingress");

    private RulesetOutline() {}

    static List<String> of(KernelRuleset ruleset) {
        List<String> lines = new ArrayList<>();
        for (KernelTable table : ruleset.tables()) {
            lines.add(table.fullName() + (table.isDormant() ? " dormant" : ""));
            for (KernelChain chain : table.chains()) {
                String name = table.fullName() + " chain " + chain.name();
                lines.add(name
                        + chain.hook()
                                .map(hook -> hook(
                                        hook.type(),
                                        hook.number(),
                                        hook.priority(),
                                        hook.isAccepting() ? "accept" : "drop"))
                                .orElse(""));
                for (int i = 0; i < chain.rules().size(); i++) {
                    TableRule rule = chain.rules().get(i);
                    lines.add(rule(name, i, rule.handle(), rule.comment()));
                }
            }
            for (KernelSet set : table.sets()) {
                if (!set.name().startsWith("__")) {
                    lines.add(table.fullName()
                            + (set.isMap() ? " map " : " set ")
                            + set.name()
                            + set.elements().stream()
                                    .map(RulesetOutline::element)
                                    .sorted()
                                    .toList());
                }
            }
        }
        return lines;
    }

    private static String hook(String type, int number, int priority, String policy) {
        return " " + type + " " + number + " " + priority + " " + policy;
    }

    private static String rule(String chain, int index, long handle, String comment) {
        return chain + " rule " + index + " handle " + handle + " '" + comment + "'";
    }

    private static String element(KernelSet.Element element) {
        return element(
                element.isCatchAll() ? Optional.empty() : Optional.of(List.of(element.first(), element.last())),
                element.data()
                        .map(HexFormat.of()::formatHex)
                        .or(() -> element.verdict().map(verdict -> verdict.code() + verdict.chain())));
    }

    private static String element(Optional<List<byte[]>> keys, Optional<String> value) {
        return keys.map(it -> HexFormat.of().formatHex(it.getFirst())
                                + '-'
                                + HexFormat.of().formatHex(it.getLast()))
                        .orElse("*")
                + value.map(it -> ":" + it).orElse("");
    }

    static List<String> parse(String json) {
        List<String> lines = new ArrayList<>();
        Map<String, Integer> rules = new HashMap<>();
        try (var reader = NftJson.JSON.createReader(new StringReader(json))) {
            for (JsonObject listed :
                    reader.readObject().getJsonArray("nftables").getValuesAs(JsonObject.class)) {
                String kind = listed.keySet().iterator().next();
                JsonObject object = listed.getJsonObject(kind);
                switch (kind) {
                    case "table" ->
                        lines.add(object.getString("family") + " " + object.getString("name")
                                + (String.valueOf(object.get("flags")).contains("dormant") ? " dormant" : ""));
                    case "chain" ->
                        lines.add(table(object) + " chain " + object.getString("name")
                                + (object.containsKey("hook") ? hook(object) : ""));
                    case "rule" -> {
                        String chain = table(object) + " chain " + object.getString("chain");
                        lines.add(rule(
                                chain,
                                rules.merge(chain, 1, Integer::sum) - 1,
                                object.getInt("handle"),
                                object.getString("comment", "")));
                    }
                    case "set", "map" ->
                        lines.add(table(object) + " " + kind + " " + object.getString("name")
                                + elements(object).sorted().toList());
                    default -> {} // A stateful object, or the version of nft.
                }
            }
        }
        return lines;
    }

    private static String table(JsonObject object) {
        return object.getString("family") + " " + object.getString("table");
    }

    private static String hook(JsonObject chain) {
        return hook(
                chain.getString("type"),
                HOOKS.getOrDefault(chain.getString("family"), IP_HOOKS).indexOf(chain.getString("hook")),
                chain.getInt("prio"),
                chain.getString("policy"));
    }

    private static Stream<String> elements(JsonObject set) {
        if (!set.containsKey("elem")) {
            return Stream.of();
        }
        List<String> types = types(value(set, "type"));
        boolean hasIntervals = String.valueOf(set.get("flags")).contains("interval");
        return set.getJsonArray("elem").stream()
                .map(element -> set.containsKey("map")
                        ? element(
                                keys(element.asJsonArray().getFirst(), types, hasIntervals),
                                value(element.asJsonArray().get(1), value(set, "map")))
                        : element(keys(element, types, hasIntervals), Optional.empty()));
    }

    private static JsonValue value(JsonObject object, String name) {
        return Objects.requireNonNull(object.get(name), name);
    }

    private static List<String> types(JsonValue type) {
        return type instanceof JsonArray several
                ? several.getValuesAs(JsonString.class).stream()
                        .map(JsonString::getString)
                        .toList()
                : List.of(((JsonString) type).getString());
    }

    /** Returns the first and the last key; empty for the element that stands for all others. */
    private static Optional<List<byte[]>> keys(JsonValue element, List<String> types, boolean hasIntervals) {
        if (element instanceof JsonObject object && object.containsKey("elem")) {
            return keys(value(object.getJsonObject("elem"), "val"), types, hasIntervals);
        }
        if (element instanceof JsonString text && text.getString().equals("*")) {
            return Optional.empty();
        }
        if (types.size() == 1) {
            return Optional.of(range(element, types.getFirst(), hasIntervals));
        }
        JsonArray parts = ((JsonObject) element).getJsonArray("concat");
        byte[] first = new byte[0];
        byte[] last = new byte[0];
        for (int i = 0; i < types.size(); i++) {
            List<byte[]> range = range(parts.get(i), types.get(i), hasIntervals);
            first = append(first, range.getFirst());
            last = append(last, range.getLast());
        }
        return Optional.of(List.of(first, last));
    }

    /** Appends a part of a concatenation, padded to four bytes. */
    private static byte[] append(byte[] bytes, byte[] part) {
        byte[] all = Arrays.copyOf(bytes, bytes.length + (part.length + 3) / 4 * 4);
        System.arraycopy(part, 0, all, bytes.length, part.length);
        return all;
    }

    private static List<byte[]> range(JsonValue value, String type, boolean hasIntervals) {
        if (value instanceof JsonObject object && object.containsKey("range")) {
            JsonArray range = object.getJsonArray("range");
            return List.of(key(range.get(0), type, hasIntervals), key(range.get(1), type, hasIntervals));
        }
        if (value instanceof JsonObject object && object.containsKey("prefix")) {
            JsonObject prefix = object.getJsonObject("prefix");
            byte[] first = key(value(prefix, "addr"), type, hasIntervals);
            byte[] last = first.clone();
            for (int bit = prefix.getInt("len"); bit < 8 * last.length; bit++) {
                last[bit / 8] |= (byte) (0x80 >> bit % 8);
            }
            return List.of(first, last);
        }
        byte[] key = key(value, type, hasIntervals);
        return List.of(key, key);
    }

    /** Returns a key in the order of a register; in a set with intervals, numbers are in network byte order, too. */
    private static byte[] key(JsonValue value, String type, boolean hasIntervals) {
        return switch (type) {
            case "ipv4_addr", "ipv6_addr" ->
                Prefix.parseAddress(((JsonString) value).getString()).getAddress();
            case "inet_service" ->
                ByteBuffer.allocate(2).putShort((short) number(value)).array();
            case "inet_proto" -> new byte[] {(byte) number(value)};
            case "mark" ->
                ByteBuffer.allocate(4)
                        .order(hasIntervals ? ByteOrder.BIG_ENDIAN : ByteOrder.nativeOrder())
                        .putInt((int) number(value))
                        .array();
            case "ifname" -> Arrays.copyOf(((JsonString) value).getString().getBytes(StandardCharsets.UTF_8), 16);
            default -> throw new AssertionError("a key of type " + type);
        };
    }

    private static long number(JsonValue value) {
        return value instanceof JsonNumber number ? number.longValue() : Long.decode(((JsonString) value).getString());
    }

    /** Returns the value of a map's element: bytes, or a verdict; nothing for an object. */
    private static Optional<String> value(JsonValue value, JsonValue type) {
        if (value instanceof JsonObject verdict) {
            String name = verdict.keySet().iterator().next();
            String chain = verdict.get(name) instanceof JsonObject target ? target.getString("target") : "";
            return Optional.of(switch (name) {
                        case "drop" -> NfTables.NF_DROP;
                        case "accept" -> NfTables.NF_ACCEPT;
                        case "jump" -> NfTables.NFT_JUMP;
                        case "goto" -> -4;
                        case "return" -> NfTables.NFT_RETURN;
                        default -> throw new AssertionError("a verdict " + name);
                    }
                    + chain);
        }
        String word = types(type).getFirst();
        return word.equals("counter")
                ? Optional.empty()
                : Optional.of(HexFormat.of().formatHex(key(value, word, false)));
    }
}
