// SPDX-License-Identifier: Apache-2.0
package io.culvert.portforward;

import io.culvert.net.Transport;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Function;

/** A gateway in memory, which grants a port, and answers what a test makes of its responses. */
final class SimulatedGateway implements GatewayChannel {

    /** What it does with its responses. */
    Function<byte[], List<byte[]>> answer = List::of;

    boolean natPmp = true;
    boolean pcp = true;
    boolean grantsAnyInternalPort = true;
    boolean silent;
    int port = 40_000;
    int seconds = 60;
    int epoch = 100;

    /** The external ports of its mappings by protocol. */
    final Map<Transport, Integer> mapped = new HashMap<>();

    final List<byte[]> requests = new ArrayList<>();
    private final Queue<byte[]> responses = new ArrayDeque<>();

    @Override
    public void send(byte[] request) {
        requests.add(request);
        if (!silent) {
            boolean isPcp = request[0] == 2;
            byte[] response = isPcp
                    ? (pcp ? answerPcp(request) : unsupported(0))
                    : natPmp ? answerNatPmp(request) : unsupported(2);
            responses.addAll(answer.apply(response));
        }
    }

    private static byte[] unsupported(int version) {
        byte[] response = new byte[version == 2 ? 24 : 8];
        response[0] = (byte) version;
        response[1] = (byte) 0x80;
        response[3] = 1;
        return response;
    }

    private byte[] answerNatPmp(byte[] request) {
        ByteBuffer in = ByteBuffer.wrap(request);
        int internal = in.getShort(4) & 0xffff;
        Transport transport = request[1] == 1 ? Transport.UDP : Transport.TCP;
        if (internal == 0 && !grantsAnyInternalPort && in.getInt(8) != 0) {
            return ByteBuffer.allocate(8)
                    .put(1, (byte) (128 + request[1]))
                    .putShort(2, (short) 2)
                    .putInt(4, epoch)
                    .array();
        }
        int external = grant(transport, internal, in.getInt(8));
        return ByteBuffer.allocate(16)
                .put(1, (byte) (128 + request[1]))
                .putInt(4, epoch)
                .putShort(8, (short) internal)
                .putShort(10, (short) external)
                .putInt(12, in.getInt(8) == 0 ? 0 : seconds)
                .array();
    }

    private byte[] answerPcp(byte[] request) {
        ByteBuffer in = ByteBuffer.wrap(request);
        int external = grant(request[36] == 17 ? Transport.UDP : Transport.TCP, in.getShort(40) & 0xffff, in.getInt(4));
        byte[] response = request.clone();
        ByteBuffer.wrap(response)
                .put(1, (byte) 0x81)
                .putInt(4, in.getInt(4) == 0 ? 0 : seconds)
                .putInt(8, epoch)
                .putShort(42, (short) external);
        return response;
    }

    private int grant(Transport transport, int internal, int lifetime) {
        if (lifetime == 0) {
            mapped.remove(transport);
            return 0;
        }
        int external = internal == 0 ? port : internal;
        mapped.put(transport, external);
        return external;
    }

    @Override
    public Optional<byte[]> receive(Duration atMost) {
        return Optional.ofNullable(responses.poll());
    }

    @Override
    public void close() {}
}
