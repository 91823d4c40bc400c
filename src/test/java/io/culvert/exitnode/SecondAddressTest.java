package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.Client;
import io.culvert.lab.Shape;
import io.culvert.lab.Transfer;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A node with two addresses answers from the one that a client came to: a client behind NAT receives no other answer. */
@Tag("lab")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class SecondAddressTest {

    private final World world = World.of(Shape.USUAL);

    @BeforeEach
    void giveSecondAddresses() {
        world.space().ip("address add 192.0.2.11/26 dev eth0", "address add 2001:db8:e::11/64 dev eth0 nodad");
    }

    @AfterEach
    void closeLab() {
        world.close();
    }

    private Client client() {
        return world.lab.client();
    }

    @ParameterizedTest
    @CsvSource({"192.0.2.11, 10.77.0.1, 192.0.2.11:51821", "2001:db8:e::11, fd00:77::1, [2001:db8:e::11]:51821"})
    void a_client_that_comes_to_the_second_address_is_answered_from_it(String address, String node, String endpoint) {
        world.connect(world.settings(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")));

        client().useExitNode(address);

        // Many datagrams at once are received as one.
        try (Transfer upload = Transfer.begin(client().space(), world.space(), node, 9000)) {
            upload.awaitMore();
            assertThat(client().endpoint()).isEqualTo(endpoint);
            upload.finish();
        }
        try (Transfer download = Transfer.begin(world.space(), client().space(), Client.MESH_CLIENT_4, 9001)) {
            download.awaitMore();
            assertThat(client().endpoint()).isEqualTo(endpoint);
            download.finish();
        }
    }

    @Test
    void a_client_that_moves_from_one_family_to_the_other_is_answered_there() {
        world.connect(world.settings(Map.of("CULVERT_WIREGUARD_IMPLEMENTATION", "userspace")));
        client().useExitNode("192.0.2.11");
        Transfer.begin(client().space(), world.space(), Client.MESH_NODE_4, 9000)
                .finish();

        client().leaveExitNode();
        client().useExitNode("2001:db8:e::11");

        Transfer.begin(client().space(), world.space(), Client.MESH_NODE_4, 9001)
                .finish();
        assertThat(client().endpoint()).isEqualTo("[2001:db8:e::11]:51821");
    }
}
