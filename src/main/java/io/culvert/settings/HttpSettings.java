// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

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
        return addresses.stream()
                .flatMapToInt(address -> address instanceof HttpAddress.OnLoopback(var socket)
                        ? IntStream.of(socket.getPort())
                        : IntStream.empty())
                .distinct()
                .sorted()
                .boxed()
                .toList();
    }

    /** Returns the TCP ports on the mesh interface's addresses. */
    public List<Integer> meshPorts() {
        return addresses.stream()
                .flatMapToInt(address ->
                        address instanceof HttpAddress.OnMesh(int port) ? IntStream.of(port) : IntStream.empty())
                .distinct()
                .sorted()
                .boxed()
                .toList();
    }
}
