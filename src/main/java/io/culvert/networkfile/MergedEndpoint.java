// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Endpoint;
import io.culvert.net.Host;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/** The endpoint that results from merging entries: for each key the last entry applies. */
record MergedEndpoint(
        Optional<Host> ip,
        OptionalInt port,
        OptionalInt persistentKeepalive,
        OptionalInt refreshSeconds,
        OptionalInt refreshRestartSeconds,
        Optional<List<HostPort>> candidates) {

    /**
     * Merges entries.
     *
     * @param rows in the order of merging
     */
    static MergedEndpoint of(List<EndpointEntry> rows) {
        // Hosts are not merged: the last entry with an ip or candidates replaces all earlier ones.
        Optional<EndpointEntry> where = Optional.empty();
        for (EndpointEntry row : rows) {
            where = row.hasHost() ? Optional.of(row) : where;
        }
        return new MergedEndpoint(
                where.flatMap(EndpointEntry::ip).map(LocatedValue::value),
                number(rows, EndpointEntry::port),
                number(rows, EndpointEntry::persistentKeepalive),
                number(rows, EndpointEntry::refreshSeconds),
                number(rows, EndpointEntry::refreshRestartSeconds),
                where.flatMap(EndpointEntry::candidates).map(LocatedValue::value));
    }

    /** Returns the endpoint candidates, without those for which no port is known. */
    List<Endpoint> endpoints(Optional<LocatedValue<Integer>> listenPort) {
        OptionalInt usual = port.isPresent()
                ? port
                : listenPort.map(written -> OptionalInt.of(written.value())).orElse(OptionalInt.empty());
        List<HostPort> hosts = candidates.orElseGet(() ->
                ip.map(host -> List.of(new HostPort(host, OptionalInt.empty()))).orElse(List.of()));
        List<Endpoint> endpoints = new ArrayList<>();
        for (HostPort host : hosts) {
            OptionalInt candidatePort = host.port().isPresent() ? host.port() : usual;
            if (candidatePort.isPresent()) {
                endpoints.add(new Endpoint(host.host(), candidatePort.getAsInt()));
            }
        }
        return endpoints;
    }

    boolean hasEndpoint(Optional<LocatedValue<Integer>> listenPort) {
        return (candidates.isPresent() || ip.isPresent())
                && !endpoints(listenPort).isEmpty();
    }

    private static <T> Optional<T> last(
            List<EndpointEntry> rows, Function<EndpointEntry, Optional<LocatedValue<T>>> key) {
        for (EndpointEntry row : rows.reversed()) {
            Optional<LocatedValue<T>> written = key.apply(row);
            if (written.isPresent()) {
                return written.map(LocatedValue::value);
            }
        }
        return Optional.empty();
    }

    private static OptionalInt number(
            List<EndpointEntry> rows, Function<EndpointEntry, Optional<LocatedValue<Integer>>> key) {
        Optional<Integer> number = last(rows, key);
        return number.isPresent() ? OptionalInt.of(number.get()) : OptionalInt.empty();
    }
}
