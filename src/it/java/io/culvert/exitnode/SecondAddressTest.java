// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.LabOptions;
import io.culvert.lab.NamespaceTest;
import io.culvert.lab.TcpTransfer;
import io.culvert.lab.WireGuardClient;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A node with two addresses replies from the one to which the client sent; a client behind NAT receives no other reply.
 */
@NamespaceTest
class SecondAddressTest {

    private final ExitNodeFixture fixture = ExitNodeFixture.of(LabOptions.DEFAULTS);

    @BeforeEach
    void addSecondAddresses() {
        fixture.namespace().ip("address add 192.0.2.11/26 dev eth0", "address add 2001:db8:e::11/64 dev eth0 nodad");
    }

    @AfterEach
    void closeLab() {
        fixture.close();
    }

    private WireGuardClient client() {
        return fixture.lab.client();
    }

    @ParameterizedTest
    @CsvSource({"192.0.2.11, 10.77.0.1, 192.0.2.11:51821", "2001:db8:e::11, fd00:77::1, [2001:db8:e::11]:51821"})
    void replies_come_from_the_second_address_to_which_the_client_connected(
            String address, String node, String endpoint) {
        fixture.connect(fixture.settings(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")));

        client().useExitNode(address);

        // Many datagrams at once are received as one.
        try (TcpTransfer upload = TcpTransfer.start(client().namespace(), fixture.namespace(), node, 9000)) {
            upload.awaitMore();
            assertThat(client().endpoint()).isEqualTo(endpoint);
            upload.finish();
        }
        try (TcpTransfer download =
                TcpTransfer.start(fixture.namespace(), client().namespace(), WireGuardClient.MESH_CLIENT_IPV4, 9001)) {
            download.awaitMore();
            assertThat(client().endpoint()).isEqualTo(endpoint);
            download.finish();
        }
    }

    @Test
    void a_client_that_changes_its_address_family_receives_replies() {
        fixture.connect(fixture.settings(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")));
        client().useExitNode("192.0.2.11");
        TcpTransfer.start(client().namespace(), fixture.namespace(), WireGuardClient.MESH_NODE_IPV4, 9000)
                .finish();

        client().leaveExitNode();
        client().useExitNode("2001:db8:e::11");

        TcpTransfer.start(client().namespace(), fixture.namespace(), WireGuardClient.MESH_NODE_IPV4, 9001)
                .finish();
        assertThat(client().endpoint()).isEqualTo("[2001:db8:e::11]:51821");
    }
}
