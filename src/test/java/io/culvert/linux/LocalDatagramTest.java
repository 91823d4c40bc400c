// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class LocalDatagramTest {

    @Test
    void a_message_is_delivered_to_an_abstract_socket() {
        String name = "culvert-test-" + ProcessHandle.current().pid();
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        try (KernelSocket listener = KernelSocket.open(1, 2, 0)) {
            listener.bind(ByteBuffer.allocate(3 + bytes.length)
                    .order(ByteOrder.nativeOrder())
                    .putShort((short) 1)
                    .put((byte) 0)
                    .put(bytes)
                    .array());

            LocalDatagram.send("@" + name, "READY=1");

            byte[] buffer = new byte[100];
            assertThat(new String(buffer, 0, listener.receive(buffer), StandardCharsets.US_ASCII))
                    .isEqualTo("READY=1");
        }
    }
}
