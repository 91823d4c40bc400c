// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** Exchanges datagrams with a gateway, and with nothing else. */
public interface GatewayChannel extends AutoCloseable {

    void send(byte[] datagram) throws IOException;

    /** Returns the next datagram; empty if none came within the time. */
    Optional<byte[]> receive(Duration atMost) throws IOException;

    @Override
    void close();
}
