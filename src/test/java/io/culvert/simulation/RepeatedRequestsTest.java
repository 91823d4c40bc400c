// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.culvert.linux.Errno;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.NetlinkException;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.NetlinkSocket;
import io.culvert.netlink.RepeatedRequests;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that the simulated kernel refuses for a moment. */
class RepeatedRequestsTest {

    private static final NetlinkMessage LINKS = new NetlinkMessage(SimulatedNetwork.GETLINK, 0, new byte[16]);

    @ParameterizedTest
    @ValueSource(ints = {Errno.EINTR, Errno.EAGAIN, Errno.ENOMEM, Errno.EBUSY, Errno.ENOBUFS})
    void a_request_is_repeated_until_it_is_carried_out(int errno) throws Exception {
        inWorld(world -> {
            refuse(world, 4, errno);

            assertThat(socket(world).dump(LINKS)).hasSize(2);
            assertThat(world.threads.nanoTime())
                    .isEqualTo(Duration.ofMillis(150).toNanos());
        });
    }

    @Test
    void what_is_refused_each_time_is_an_error() throws Exception {
        inWorld(world -> {
            refuse(world, 1000, Errno.EBUSY);

            Throwable error = catchThrowable(() -> socket(world).dump(LINKS));

            assertThat(error)
                    .isInstanceOfSatisfying(
                            NetlinkException.class, it -> assertThat(it.errno()).isEqualTo(Errno.EBUSY));
            assertThat(world.failingRequests).isEqualTo(995);
        });
    }

    @Test
    void what_is_wrong_is_not_repeated() throws Exception {
        inWorld(world -> {
            refuse(world, 1, Errno.EPERM);

            assertThat(catchThrowable(() -> socket(world).dump(LINKS))).isInstanceOf(NetlinkException.class);
            assertThat(world.threads.nanoTime()).isZero();
        });
    }

    /** The second request needs what the first one adds. */
    @Test
    void later_requests_of_a_batch_are_repeated_if_they_failed_because_of_it() throws Exception {
        inWorld(world -> {
            refuse(world, 1, Errno.ENOBUFS);

            // After lo and eth0, the third link.
            assertThat(socket(world).execute(List.of(creation("wg7"), deletion(3))))
                    .containsExactly(NetlinkSocket.Outcome.DONE, NetlinkSocket.Outcome.DONE);
            assertThat(world.kernel.network.link("wg7")).isEmpty();
        });
    }

    private static NetlinkMessage creation(String name) {
        return new NetlinkMessage(
                SimulatedNetwork.NEWLINK,
                NetlinkMessage.NLM_F_CREATE,
                AttributeWriter.after(new byte[16])
                        .string(3, name)
                        .nested(18, info -> info.string(1, "wireguard"))
                        .toByteArray());
    }

    private static NetlinkMessage deletion(int index) {
        byte[] header = new byte[16];
        header[4] = (byte) index;
        return new NetlinkMessage(SimulatedNetwork.DELLINK, 0, header);
    }

    private static void refuse(World world, int requests, int errno) {
        world.failingRequests = requests;
        world.failingErrno = errno;
    }

    private static NetlinkSocket socket(World world) {
        return RepeatedRequests.of(world.kernel, world.threads).route();
    }

    private static void inWorld(Consumer<World> test) throws Exception {
        try (World world = new World(1)) {
            world.threads.start("test", () -> {
                test.accept(world);
                world.threads.finish(Optional.empty());
            });
            assertThat(world.threads.run()).isEmpty();
        }
    }
}
