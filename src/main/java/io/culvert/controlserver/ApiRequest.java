// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;

/**
 * A request to the HTTP control server.
 *
 * @param local the address on which it came in; empty for a Unix socket
 * @param path without the query
 * @param headers by name in lower case
 */
record ApiRequest(
        Optional<InetAddress> local,
        String client,
        String method,
        String path,
        Map<String, String> headers,
        String body) {

    ApiRequest {
        headers = Map.copyOf(headers);
    }

    Optional<String> header(String name) {
        return Optional.ofNullable(headers.get(name));
    }
}
