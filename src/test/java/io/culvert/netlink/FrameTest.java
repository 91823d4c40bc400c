package io.culvert.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.culvert.netlink.NetlinkSocket.Outcome;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

/** Parses datagrams recorded from a little-endian kernel 6.18. */
@DisplayNameGeneration(ReplaceUnderscores.class)
class FrameTest {

    /** {@code Invalid sport range}, without NETLINK_CAP_ACK: the acknowledgement contains the request. */
    private static final String REFUSED_IN_FULL =
            "500000000200000201000000b3030000eaffffff240000002000050401000000000000"
                    + "0002000000fe00000100000000080017000002010018000100496e76616c69642073706f72742072616e676500";

    private static final String REFUSED =
            "3c0000000200000302000000b3030000eaffffff2400000020000504020000000000000018000100"
                    + "496e76616c69642073706f72742072616e676500";

    private static final String DUMP_REFUSED =
            "4c0000000300020203000000b3030000eaffffff37000100496e76616c69642076616c7565"
                    + "7320696e2068656164657220666f72206669622072756c652064756d7020726571756573740000";

    static Frame only(String hex) {
        byte[] datagram = HexFormat.of().parseHex(hex);
        return Frame.parse(datagram, datagram.length).getFirst();
    }

    @Test
    void a_refusal_says_why_whether_the_request_is_repeated_or_not() {
        for (String hex : List.of(REFUSED_IN_FULL, REFUSED)) {
            Outcome outcome = Acknowledgement.read(only(hex));
            assertThat(outcome.errno()).isEqualTo(22);
            assertThat(outcome.message()).isEqualTo("Invalid sport range");
            assertThat(outcome.done()).isFalse();
        }
    }

    @Test
    void a_dump_may_be_refused_as_it_ends() {
        assertThat(Acknowledgement.read(only(DUMP_REFUSED)))
                .isEqualTo(new Outcome(22, "Invalid values in header for fib rule dump request", -1));
    }

    @Test
    void frames_are_read_as_they_were_written() {
        List<Frame> frames =
                List.of(new Frame(16, 0x301, 7, 42, new byte[] {1, 2, 3}), new Frame(18, 1, -1, 0, new byte[0]));
        byte[] bytes = Frame.bytes(frames);
        assertThat(bytes).hasSize(20 + 16);
        assertThat(Frame.parse(bytes, bytes.length))
                .usingRecursiveFieldByFieldElementComparator()
                .isEqualTo(frames);
    }

    @Test
    void a_length_that_lies_ends_the_reading() {
        byte[] datagram = Frame.bytes(List.of(new Frame(1, 0, 0, 0, new byte[8]), new Frame(2, 0, 0, 0, new byte[8])));
        for (int lie : new int[] {0, 15, 1000, -1}) {
            byte[] changed = datagram.clone();
            java.nio.ByteBuffer.wrap(changed)
                    .order(java.nio.ByteOrder.nativeOrder())
                    .putInt(24, lie);
            assertThat(Frame.parse(changed, changed.length)).hasSize(1);
        }
        assertThat(Frame.parse(datagram, 30)).hasSize(1);
        assertThat(Frame.parse(datagram, 0)).isEmpty();
    }

    @FuzzTest
    void no_datagram_breaks_the_reader(byte[] datagram) {
        for (Frame frame : Frame.parse(datagram, datagram.length)) {
            Acknowledgement.read(frame);
            Attributes attributes = Attributes.parse(frame.payload(), 0);
            attributes.all().forEach(attribute -> {
                attributes.number(attribute.type());
                attributes.string(attribute.type());
                attributes.nested(attribute.type());
            });
        }
    }
}
