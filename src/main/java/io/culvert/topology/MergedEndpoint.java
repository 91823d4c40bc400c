package io.culvert.topology;

import io.culvert.ip.Endpoint;
import io.culvert.ip.Host;
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
    static MergedEndpoint of(List<EndpointRow> rows) {
        // Hosts are not merged: the last entry with an ip or candidates replaces all earlier ones.
        Optional<EndpointRow> where = Optional.empty();
        for (EndpointRow row : rows) {
            where = row.tellsWhere() ? Optional.of(row) : where;
        }
        return new MergedEndpoint(
                where.flatMap(EndpointRow::ip).map(Written::value),
                number(rows, EndpointRow::port),
                number(rows, EndpointRow::persistentKeepalive),
                number(rows, EndpointRow::refreshSeconds),
                number(rows, EndpointRow::refreshRestartSeconds),
                where.flatMap(EndpointRow::candidates).map(Written::value));
    }

    /** Returns the endpoint candidates, without those for which no port is known. */
    List<Endpoint> places(Optional<Written<Integer>> listenPort) {
        OptionalInt usual = port.isPresent()
                ? port
                : listenPort.map(written -> OptionalInt.of(written.value())).orElse(OptionalInt.empty());
        List<HostPort> hosts = candidates.orElseGet(() ->
                ip.map(host -> List.of(new HostPort(host, OptionalInt.empty()))).orElse(List.of()));
        List<Endpoint> places = new ArrayList<>();
        for (HostPort host : hosts) {
            OptionalInt own = host.port().isPresent() ? host.port() : usual;
            if (own.isPresent()) {
                places.add(new Endpoint(host.host(), own.getAsInt()));
            }
        }
        return places;
    }

    boolean hasPlace(Optional<Written<Integer>> listenPort) {
        return (candidates.isPresent() || ip.isPresent()) && !places(listenPort).isEmpty();
    }

    private static <T> Optional<T> last(List<EndpointRow> rows, Function<EndpointRow, Optional<Written<T>>> key) {
        for (EndpointRow row : rows.reversed()) {
            Optional<Written<T>> written = key.apply(row);
            if (written.isPresent()) {
                return written.map(Written::value);
            }
        }
        return Optional.empty();
    }

    private static OptionalInt number(List<EndpointRow> rows, Function<EndpointRow, Optional<Written<Integer>>> key) {
        Optional<Integer> number = last(rows, key);
        return number.isPresent() ? OptionalInt.of(number.get()) : OptionalInt.empty();
    }
}
