// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import jakarta.json.Json;
import jakarta.json.JsonArray;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Describes routing rules and routes in lines: those of the reader, and those of iproute2's JSON ({@code ip -N -j}). */
final class RoutingOutline {

    /** By {@code RTN_*}, from unicast to throw (include/uapi/linux/rtnetlink.h). */
    private static final List<LookupRoute.Kind> KINDS = List.of(
            LookupRoute.Kind.UNICAST,
            LookupRoute.Kind.LOCAL,
            LookupRoute.Kind.BROADCAST,
            LookupRoute.Kind.BROADCAST,
            LookupRoute.Kind.BROADCAST,
            LookupRoute.Kind.BLOCK,
            LookupRoute.Kind.BLOCK,
            LookupRoute.Kind.BLOCK,
            LookupRoute.Kind.THROW);

    private RoutingOutline() {}

    static List<String> ofRules(RoutingState state, Family family) {
        return state.rules(family).stream()
                .map(rule -> line(
                        rule.preference(),
                        rule.isInverted(),
                        rule.from().map(Prefix::toString).orElse("all"),
                        rule.to().map(Prefix::toString).orElse("all"),
                        rule.inputLink().orElse("-"),
                        rule.outputLink().orElse("-"),
                        rule.mark()
                                .map(it -> Long.toHexString(it.mark()) + '/' + Long.toHexString(it.mask()))
                                .orElse("-"),
                        rule.protocol().isPresent()
                                ? String.valueOf(rule.protocol().getAsInt())
                                : "-",
                        rule.sourcePorts()
                                .map(it -> range(it.first(), it.last()))
                                .orElse("-"),
                        rule.destinationPorts()
                                .map(it -> range(it.first(), it.last()))
                                .orElse("-"),
                        rule.uids().map(it -> range(it.first(), it.last())).orElse("-"),
                        rule.hasOtherCondition(),
                        action(rule.action())))
                .toList();
    }

    private static String action(LookupRule.Action action) {
        return switch (action) {
            case LookupRule.Action.LookupTable lookup ->
                "table " + lookup.table() + ' '
                        + (lookup.suppressPrefixLength().isPresent()
                                ? lookup.suppressPrefixLength().getAsInt()
                                : "-")
                        + ' '
                        + (lookup.suppressGroup().isPresent()
                                ? lookup.suppressGroup().getAsLong()
                                : "-");
            case LookupRule.Action.GotoRule(long preference) -> "goto " + preference;
            case LookupRule.Action.None() -> "nop";
            case LookupRule.Action.Block() -> "block";
            case LookupRule.Action.LookupVirtualRouter() -> "[l3mdev-table]";
            case LookupRule.Action.Unknown() -> "unknown";
        };
    }

    static List<String> parseRules(String json) {
        List<String> lines = new ArrayList<>();
        for (JsonObject rule : array(json)) {
            Optional<String> mark = text(rule, "fwmark").map(it -> Long.toHexString(Long.decode(it)));
            Optional<String> mask = text(rule, "fwmask").map(it -> Long.toHexString(Long.decode(it)));
            lines.add(line(
                    rule.getInt("priority"),
                    rule.containsKey("not"),
                    prefix(rule, "src", "srclen"),
                    prefix(rule, "dst", "dstlen"),
                    text(rule, "iif").orElse("-"),
                    text(rule, "oif").orElse("-"),
                    mark.map(it -> it + '/' + mask.orElse("ffffffff")).orElse("-"),
                    text(rule, "ipproto").orElse("-").replace("ipproto-", ""),
                    range(rule, "sport", "sport_start", "sport_end"),
                    range(rule, "dport", "dport_start", "dport_end"),
                    range(rule, "-", "uid_start", "uid_end"),
                    rule.containsKey("tos") || rule.containsKey("tun_id"),
                    action(rule)));
        }
        return lines;
    }

    private static String action(JsonObject rule) {
        if (rule.containsKey("l3mdev")) {
            return "[l3mdev-table]";
        }
        if (rule.containsKey("table")) {
            return "table " + text(rule, "table").orElseThrow() + ' '
                    + text(rule, "suppress_prefixlen").orElse("-") + ' '
                    + text(rule, "suppress_ifgroup").orElse("-");
        }
        return text(rule, "goto").map(it -> "goto " + it).orElseGet(() -> rule.containsKey("nop") ? "nop" : "block");
    }

    static List<String> ofRoutes(RoutingState state, Family family) {
        Map<Integer, String> names = state.links().stream()
                .collect(Collectors.toMap(RoutingState.StateLink::index, RoutingState.StateLink::name));
        return state.routes(family).stream()
                .map(route -> line(
                        route.kind(),
                        route.destination(),
                        route.source(),
                        route.table(),
                        route.metric(),
                        route.typeOfService(),
                        route.preferredSource().map(Prefix::text).orElse("-"),
                        route.hops().stream()
                                .map(hop -> hop(
                                        names.getOrDefault(hop.link(), "?"),
                                        hop.gateway().map(Prefix::text).orElse("-"),
                                        hop.isUsable()))
                                .toList()))
                .toList();
    }

    static List<String> parseRoutes(String json, Family family) {
        List<String> lines = new ArrayList<>();
        for (JsonObject route : array(json)) {
            lines.add(line(
                    KINDS.get(Integer.parseInt(text(route, "type").orElse("1")) - 1),
                    prefix(route.getString("dst"), family),
                    prefix(route.getString("from", "default"), family),
                    text(route, "table").orElse("254"),
                    text(route, "metric").orElse("0"),
                    Integer.decode(route.getString("tos", "0")),
                    text(route, "prefsrc").orElse("-"),
                    (route.containsKey("nexthops")
                                    ? route.getJsonArray("nexthops").getValuesAs(JsonObject.class)
                                    : route.containsKey("dev") ? List.of(route) : List.<JsonObject>of())
                            .stream()
                                    .map(hop -> hop(
                                            hop.getString("dev"),
                                            text(hop, "gateway")
                                                    .or(() -> Optional.ofNullable(hop.getJsonObject("via"))
                                                            .map(via -> via.getString("host")))
                                                    .orElse("-"),
                                            hop.getJsonArray("flags").getValuesAs(JsonString.class).stream()
                                                    .map(JsonString::getString)
                                                    .noneMatch(List.of("dead", "linkdown")::contains)))
                                    .toList()));
        }
        return lines;
    }

    private static String hop(String link, String gateway, boolean isUsable) {
        return link + " via " + gateway + (isUsable ? "" : " down");
    }

    private static Prefix prefix(String text, Family family) {
        return text.equals("default") ? Prefix.all(family) : Prefix.parse(text);
    }

    private static String line(Object... parts) {
        return List.of(parts).toString();
    }

    private static List<JsonObject> array(String json) {
        try (var reader = Json.createReader(new StringReader(json))) {
            JsonArray array = reader.readArray();
            return array.getValuesAs(JsonObject.class);
        }
    }

    private static Optional<String> text(JsonObject object, String name) {
        return Optional.ofNullable(object.get(name))
                .map(value -> value instanceof JsonString string ? string.getString() : value.toString());
    }

    private static String prefix(JsonObject rule, String address, String length) {
        JsonValue bits = rule.get(length);
        String text = rule.getString(address, "all");
        return text.equals("all")
                ? text
                : bits == null
                        ? Prefix.parse(text).toString()
                        : Prefix.parse(text + '/' + bits).toString();
    }

    private static String range(JsonObject rule, String single, String first, String last) {
        return text(rule, single)
                .map(it -> it + '-' + it)
                .or(() ->
                        text(rule, first).map(it -> it + '-' + text(rule, last).orElseThrow()))
                .orElse("-");
    }

    private static String range(long first, long last) {
        return first + "-" + last;
    }
}
