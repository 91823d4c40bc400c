// SPDX-License-Identifier: Apache-2.0
package io.culvert.status;

import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import io.culvert.net.Prefix;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonNumber;
import jakarta.json.JsonObject;
import jakarta.json.JsonObjectBuilder;
import jakarta.json.JsonString;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What a running exit node knows that is in no setting and in no file.
 *
 * @param file the path of the provider's file in use
 * @param tunnelPort the UDP port that the tunnel sends from; empty where it has none yet
 * @param servers the addresses of the tunnel's server
 * @param bypasses the addresses of bypasses by name
 * @param tailnetAddresses of this node
 * @param relayPorts TCP ports of Tailscale's relays
 * @param dnsPort the port of the DNS stub; empty where it is not known
 * @param forwardedPort the port that the provider forwards
 */
public record RuntimeFacts(
        String file,
        OptionalInt tunnelPort,
        List<InetSocketAddress> servers,
        Map<String, List<InetAddress>> bypasses,
        List<InetAddress> tailnetAddresses,
        List<Integer> relayPorts,
        OptionalInt dnsPort,
        ForwardedPort forwardedPort) {

    /** Nothing is known. */
    public static final RuntimeFacts NONE = new RuntimeFacts(
            "", OptionalInt.empty(), List.of(), Map.of(), List.of(), List.of(), OptionalInt.empty(), ForwardedPort.OFF);

    public RuntimeFacts {
        servers = List.copyOf(servers);
        bypasses = Map.copyOf(bypasses);
        tailnetAddresses = List.copyOf(tailnetAddresses);
        relayPorts = List.copyOf(relayPorts);
    }

    JsonObject toJson() {
        JsonObjectBuilder names = Json.createObjectBuilder();
        bypasses.forEach((name, addresses) -> names.add(name, texts(addresses)));
        JsonArrayBuilder endpoints = Json.createArrayBuilder();
        servers.forEach(server -> endpoints.add(Endpoint.of(server).toString()));
        return Json.createObjectBuilder()
                .add("file", file)
                .add("tunnelPort", tunnelPort.orElse(0))
                .add("servers", endpoints)
                .add("bypasses", names)
                .add("tailnetAddresses", texts(tailnetAddresses))
                .add("relayPorts", Json.createArrayBuilder(relayPorts))
                .add("dnsPort", dnsPort.orElse(0))
                .add("forwardedPort", forwardedPort.toJson())
                .build();
    }

    private static JsonArrayBuilder texts(Collection<InetAddress> addresses) {
        return Json.createArrayBuilder(addresses.stream().map(Prefix::text).toList());
    }

    static RuntimeFacts fromJson(JsonObject json) {
        Map<String, List<InetAddress>> bypasses = new LinkedHashMap<>();
        json.getJsonObject("bypasses")
                .forEach((name, addresses) -> bypasses.put(
                        name,
                        addresses.asJsonArray().getValuesAs(JsonString.class).stream()
                                .map(RuntimeFacts::address)
                                .toList()));
        return new RuntimeFacts(
                json.getString("file"),
                port(json, "tunnelPort"),
                json.getJsonArray("servers").getValuesAs(RuntimeFacts::endpoint),
                bypasses,
                json.getJsonArray("tailnetAddresses").getValuesAs(RuntimeFacts::address),
                json.getJsonArray("relayPorts").getValuesAs(JsonNumber::intValue),
                port(json, "dnsPort"),
                json.containsKey("forwardedPort")
                        ? ForwardedPort.fromJson(json.getJsonObject("forwardedPort"))
                        : ForwardedPort.OFF);
    }

    private static OptionalInt port(JsonObject json, String name) {
        int port = json.getInt(name, 0);
        return port == 0 ? OptionalInt.empty() : OptionalInt.of(port);
    }

    private static InetAddress address(JsonString text) {
        return Prefix.parseAddress(text.getString());
    }

    private static InetSocketAddress endpoint(JsonString text) {
        Endpoint endpoint = Endpoint.parse(text.getString());
        return switch (endpoint.host()) {
            case Host.Literal(InetAddress address) -> new InetSocketAddress(address, endpoint.port());
            case Host.Name name -> throw new IllegalArgumentException("'" + name + "' is not an address");
        };
    }
}
