// SPDX-License-Identifier: Apache-2.0
package io.culvert.netlink;

import static io.culvert.netlink.ScriptedNetlinkSocket.checkRequest;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.linux.Errno;
import io.culvert.netlink.ScriptedNetlinkSocket.Reply;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class GenericNetlinkTest {

    private static final int GENL_ID_CTRL = 0x10;

    @Test
    void a_family_is_queried_by_name() {
        var socket = new ScriptedNetlinkSocket(checkRequest(GENL_ID_CTRL, 0, request -> {
            assertThat(HexFormat.of().formatHex(request.payload()))
                    .isEqualTo("03020000" + "0e000200" + "776972656775617264" + "00" + "0000");
            return Reply.done(new NetlinkMessage(
                    GENL_ID_CTRL,
                    0,
                    AttributeWriter.after(GenericNetlink.header(1, 2))
                            .string(2, "wireguard")
                            .u16(1, 31)
                            .toByteArray()));
        }));
        assertThat(new GenericNetlink(socket).findFamily("wireguard")).hasValue(31);
    }

    @Test
    void a_missing_family_is_empty_and_other_errors_are_thrown() {
        assertThat(new GenericNetlink(new ScriptedNetlinkSocket(_ -> Reply.refused(Errno.ENOENT, "")))
                        .findFamily("wireguard"))
                .isEmpty();
        var denying = new GenericNetlink(new ScriptedNetlinkSocket(_ -> Reply.refused(Errno.EPERM, "not you")));
        assertThatThrownBy(() -> denying.findFamily("wireguard"))
                .isInstanceOf(NetlinkException.class)
                .hasMessageEndingWith("operation not permitted (errno 1): not you");
    }
}
