// SPDX-License-Identifier: Apache-2.0
package io.culvert.meshnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.lab.LabNamespace;
import io.culvert.lab.MeshLab;
import io.culvert.lab.NamespaceTest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A laptop that reaches its home network through a NAS, and then connects to that network. */
@NamespaceTest
class ConnectedNetworkTest {

    private static final String NAS_INSIDE = "10.8.0.2";
    private static final String PRINTER = "10.77.0.77";

    private final MeshOfNodes mesh = new MeshOfNodes(List.of("laptop", "nas"));
    private final LabNamespace laptop = mesh.namespace("laptop");

    @AfterEach
    void close_lab() {
        mesh.close();
    }

    private void network(String routes) {
        Map<String, String> peers = new LinkedHashMap<>();
        peers.put("laptop", "subnets: {home: {listenPort: 51820, ipAddresses: [10.8.0.1]}}");
        peers.put(
                "nas",
                "subnets: {home: {listenPort: 51820, ipAddresses: [" + NAS_INSIDE
                        + "]}}, endpoints: [{candidates: [{ip: " + MeshLab.lan4(1) + "}, {ip: " + MeshLab.public4(1)
                        + "}]}], routes: [" + routes + "]");
        mesh.file("subnets: [{name: home, endpoints: [{port: 51820}]}]\nconnections: [{a: [], b: []}]", peers);
        mesh.lab().plug(1);
        mesh.lab().lan().ip("address add " + PRINTER + "/24 dev switch", "route add default via " + MeshLab.lan4(1));
        mesh.up("nas");
    }

    private void plug(int metric) {
        mesh.lab().plug(0);
        laptop.ip(
                "address del " + MeshLab.lan4(0) + "/24 dev lan0",
                "address add " + MeshLab.lan4(0) + "/24 dev lan0 metric " + metric);
    }

    private String sourceAddressSeenBy(LabNamespace server, String address) {
        return MeshLab.observedSource(laptop, "", server, address, 15);
    }

    private void assertHomeIsDirect() {
        assertThat(laptop.run("ip", "route", "get", PRINTER))
                .contains("dev lan0")
                .contains("src " + MeshLab.lan4(0));
        assertThat(sourceAddressSeenBy(mesh.lab().lan(), PRINTER)).isEqualTo(MeshLab.lan4(0));
        assertThat(sourceAddressSeenBy(mesh.namespace("nas"), MeshLab.lan4(1))).isEqualTo(MeshLab.lan4(0));
        assertThat(sourceAddressSeenBy(mesh.namespace("nas"), NAS_INSIDE))
                .as(laptop.run("wg") + laptop.run("ip", "rule") + laptop.run("ip", "route", "show", "table", "all"))
                .isEqualTo("10.8.0.1");
    }

    @ParameterizedTest
    @CsvSource({"0, 10.77.0.0/24", "100, 10.77.0.0/24", "100, 10.77.0.0/16", "100, 10.77.0.0/25"})
    void a_connected_network_is_reached_directly_and_the_nas_through_the_tunnel(int metric, String routes) {
        network(routes);
        plug(metric);

        mesh.up("laptop");

        assertThat(mesh.output()).contains("10.77.0.0/24 is connected to this machine, so it bypasses the mesh");
        assertHomeIsDirect();
        assertThat(mesh.diff("laptop")).isEmpty();
    }

    @Test
    void connecting_to_the_home_network_and_disconnecting_while_the_node_is_up() {
        network("10.77.0.0/24");
        mesh.up("laptop");
        assertThat(sourceAddressSeenBy(mesh.lab().lan(), PRINTER)).isEqualTo("10.8.0.1");
        assertThat(laptop.run("ip", "route", "get", PRINTER)).doesNotContain("lan0");

        plug(100);
        assertHomeIsDirect();

        mesh.lab().unplug(0);
        assertThat(laptop.run("ip", "route", "get", PRINTER)).doesNotContain("lan0");
        assertThat(sourceAddressSeenBy(mesh.namespace("nas"), NAS_INSIDE)).isEqualTo("10.8.0.1");
    }
}
