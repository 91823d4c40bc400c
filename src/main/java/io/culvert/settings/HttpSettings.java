// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * The settings of the HTTP control server.
 *
 * @param addresses where it listens; empty if it is off
 * @param token what a client has to send to change anything; empty if nothing can be changed
 */
public record HttpSettings(List<HttpAddress> addresses, Optional<HttpToken> token) {

    public HttpSettings {
        addresses = List.copyOf(addresses);
    }

    /** Returns the TCP ports on loopback addresses. */
    public List<Integer> loopbackPorts() {
        return ports(address -> address instanceof HttpAddress.OnLoopback(var socket)
                ? OptionalInt.of(socket.getPort())
                : OptionalInt.empty());
    }

    /** Returns the TCP ports on the mesh interface's addresses. */
    public List<Integer> meshPorts() {
        return ports(address ->
                address instanceof HttpAddress.OnMesh(int port) ? OptionalInt.of(port) : OptionalInt.empty());
    }

    private List<Integer> ports(Function<HttpAddress, OptionalInt> port) {
        return addresses.stream()
                .flatMapToInt(address -> port.apply(address).stream())
                .distinct()
                .sorted()
                .boxed()
                .toList();
    }
}
