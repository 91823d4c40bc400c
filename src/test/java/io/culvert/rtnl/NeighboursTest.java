// SPDX-License-Identifier: Apache-2.0
package io.culvert.rtnl;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.Attributes;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.ScriptedNetlinkSocket;
import io.culvert.netlink.ScriptedNetlinkSocket.Reply;
import io.culvert.rtnl.Neighbours.Neighbour;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Decodes the kernel's messages about neighbours (include/uapi/linux/neighbour.h). */
class NeighboursTest {

    private static final int RTM_NEWNEIGH = 28;
    private static final int RTM_DELNEIGH = 29;
    private static final int NDA_DST = 1;
    private static final int NDA_LLADDR = 2;
    private static final int EPERM = 1;
    private static final byte[] HARDWARE = {2, 0, 0x5e, 0, 0x53, 0x10};

    /** {@code NUD_*}: an entry that was confirmed long ago may belong to another host now. */
    @ParameterizedTest
    @CsvSource({
        "0x01, false, false, INCOMPLETE", "0x02, true, false, REACHABLE", "0x04, false, false, STALE",
        "0x08, false, false, DELAY", "0x10, false, false, PROBE", "0x20, false, true, FAILED",
        "0x40, true, false, NOARP", "0x80, true, false, PERMANENT"
    })
    void only_a_recently_confirmed_neighbour_is_reachable(
            String state, boolean isReachable, boolean hasFailed, String name) {
        Neighbour neighbour = Neighbours.decode(message(RTM_NEWNEIGH, "192.0.2.1", Integer.decode(state), new byte[0]))
                .orElseThrow();

        assertThat(neighbour.isReachable()).as(name).isEqualTo(isReachable);
        assertThat(neighbour.hasFailed()).as(name).isEqualTo(hasFailed);
        assertThat(neighbour.hardwareAddress()).isEmpty();
    }

    @Test
    void all_neighbours_are_read_and_none_if_the_kernel_refuses() {
        NetlinkMessage four = message(RTM_NEWNEIGH, "192.0.2.1", 2, HARDWARE);
        NetlinkMessage six = message(RTM_NEWNEIGH, "2001:db8::1", 0x20, HARDWARE);
        NetlinkMessage proxy = new NetlinkMessage(RTM_NEWNEIGH, 0, new byte[12]);

        assertThat(new Neighbours(new ScriptedNetlinkSocket(_ -> Reply.done(four, proxy, six))).read())
                .containsExactly(
                        new Neighbour(7, Prefix.parseAddress("192.0.2.1"), "02:00:5e:00:53:10", 2),
                        new Neighbour(7, Prefix.parseAddress("2001:db8::1"), "02:00:5e:00:53:10", 0x20));
        assertThat(new Neighbours(new ScriptedNetlinkSocket(_ -> Reply.refused(EPERM, ""))).read())
                .isEmpty();
    }

    @Test
    void other_and_malformed_events_contain_no_neighbour() {
        NetlinkMessage route = new NetlinkMessage(24, 0, new byte[12]);

        assertThat(Neighbours.isNeighbour(route)).isFalse();
        assertThat(Neighbours.decode(route)).isEmpty();
        assertThat(Neighbours.decode(new NetlinkMessage(RTM_NEWNEIGH, 0, new byte[11])))
                .isEmpty();
        assertThat(Neighbours.decode(message(RTM_DELNEIGH, "192.0.2.1", 4, HARDWARE)))
                .isPresent();
    }

    /** {@code NTF_USE}, so that the kernel sends a request on the link and keeps no permanent entry. */
    @Test
    void a_solicitation_request_sets_the_use_flag() {
        ScriptedNetlinkSocket kernel = new ScriptedNetlinkSocket(_ -> Reply.done());

        new Neighbours(kernel).solicit(7, Prefix.parseAddress("2001:db8::1"));

        NetlinkMessage request = kernel.requests().getFirst();
        ByteBuffer header = ByteBuffer.wrap(request.payload()).order(ByteOrder.nativeOrder());
        assertThat(request.type()).isEqualTo(RTM_NEWNEIGH);
        assertThat(header.get(0)).isEqualTo((byte) Family.IPV6.number());
        assertThat(header.getInt(4)).isEqualTo(7);
        assertThat(header.getShort(8)).as("state").isZero();
        assertThat(header.get(10)).as("flags").isEqualTo((byte) 1);
        assertThat(Attributes.parse(request.payload(), 12).bytes(NDA_DST))
                .hasValueSatisfying(address -> assertThat(address)
                        .isEqualTo(Prefix.parseAddress("2001:db8::1").getAddress()));
    }

    private static NetlinkMessage message(int type, String address, int state, byte[] hardwareAddress) {
        var inet = Prefix.parseAddress(address);
        byte[] header = ByteBuffer.allocate(12)
                .order(ByteOrder.nativeOrder())
                .put(0, (byte) Family.of(inet).number())
                .putInt(4, 7)
                .putShort(8, (short) state)
                .array();
        AttributeWriter attributes = AttributeWriter.after(header).bytes(NDA_DST, inet.getAddress());
        return new NetlinkMessage(
                type,
                0,
                (hardwareAddress.length == 0 ? attributes : attributes.bytes(NDA_LLADDR, hardwareAddress))
                        .toByteArray());
    }
}
