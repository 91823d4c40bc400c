// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.netlink.NetlinkSocket.Outcome;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Parses datagrams recorded from a little-endian kernel 6.18. */
class FrameTest {

    /** {@code Invalid sport range}, without NETLINK_CAP_ACK: the acknowledgement contains the request. */
    private static final String ERROR_WITH_REQUEST =
            "500000000200000201000000b3030000eaffffff240000002000050401000000000000"
                    + "0002000000fe00000100000000080017000002010018000100496e76616c69642073706f72742072616e676500";

    private static final String ERROR =
            "3c0000000200000302000000b3030000eaffffff2400000020000504020000000000000018000100"
                    + "496e76616c69642073706f72742072616e676500";

    private static final String DUMP_ERROR =
            "4c0000000300020203000000b3030000eaffffff37000100496e76616c69642076616c7565"
                    + "7320696e2068656164657220666f72206669622072756c652064756d7020726571756573740000";

    static Frame parseFirst(String hex) {
        byte[] datagram = HexFormat.of().parseHex(hex);
        return Frame.parse(datagram, datagram.length).getFirst();
    }

    @Test
    void an_error_message_is_parsed_with_and_without_the_request() {
        for (String hex : List.of(ERROR_WITH_REQUEST, ERROR)) {
            Outcome outcome = Acknowledgement.parse(parseFirst(hex));
            assertThat(outcome.errno()).isEqualTo(22);
            assertThat(outcome.message()).isEqualTo("Invalid sport range");
            assertThat(outcome.succeeded()).isFalse();
        }
    }

    @Test
    void an_error_at_the_end_of_a_dump_is_parsed() {
        assertThat(Acknowledgement.parse(parseFirst(DUMP_ERROR)))
                .isEqualTo(new Outcome(22, "Invalid values in header for fib rule dump request", -1));
    }

    @Test
    void encoded_frames_are_parsed_back() {
        List<Frame> frames =
                List.of(new Frame(16, 0x301, 7, 42, new byte[] {1, 2, 3}), new Frame(18, 1, -1, 0, new byte[0]));
        byte[] bytes = Frame.encode(frames);
        assertThat(bytes).hasSize(20 + 16);
        assertThat(Frame.parse(bytes, bytes.length))
                .usingRecursiveFieldByFieldElementComparator()
                .isEqualTo(frames);
    }

    @Test
    void an_invalid_length_stops_the_parsing() {
        byte[] datagram = Frame.encode(List.of(new Frame(1, 0, 0, 0, new byte[8]), new Frame(2, 0, 0, 0, new byte[8])));
        for (int wrongLength : new int[] {0, 15, 1000, -1}) {
            byte[] changed = datagram.clone();
            java.nio.ByteBuffer.wrap(changed)
                    .order(java.nio.ByteOrder.nativeOrder())
                    .putInt(24, wrongLength);
            assertThat(Frame.parse(changed, changed.length)).hasSize(1);
        }
        assertThat(Frame.parse(datagram, 30)).hasSize(1);
        assertThat(Frame.parse(datagram, 0)).isEmpty();
    }

    @FuzzTest
    void no_datagram_breaks_the_reader(byte[] datagram) {
        for (Frame frame : Frame.parse(datagram, datagram.length)) {
            Acknowledgement.parse(frame);
            Attributes attributes = Attributes.parse(frame.payload(), 0);
            attributes.all().forEach(attribute -> {
                attributes.number(attribute.type());
                attributes.string(attribute.type());
                attributes.nested(attribute.type());
            });
        }
    }
}
