// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.culvert.net.Prefix;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalApiTest {

    @TempDir
    Path directory;

    private ScriptedTailscaled tailscaled;
    private LocalApi api;

    @BeforeEach
    void start() throws IOException {
        Path socket = directory.resolve("tailscaled.sock");
        tailscaled = new ScriptedTailscaled(socket);
        api = new LocalApi(socket, Duration.ofSeconds(10));
    }

    @AfterEach
    void stop() throws IOException {
        tailscaled.close();
    }

    @Test
    void relay_ports_are_read_from_the_DERP_map_and_default_to_443() throws IOException {
        tailscaled.answer("GET derpmap", """
                {"Regions": {"1": {"RegionID": 1, "Nodes": [
                  {"Name": "1a", "HostName": "relay.example", "DERPPort": 8443},
                  {"Name": "1b", "HostName": "relay.example", "STUNPort": 3478}]},
                 "2": {"RegionID": 2, "Nodes": null}}}""");

        assertThat(api.relayPorts()).containsExactlyInAnyOrder(443, 8443);

        tailscaled.answer("GET derpmap", "{\"Regions\": null}");

        assertThat(api.relayPorts()).isEmpty();
    }

    @Test
    void a_status_is_parsed() throws IOException {
        tailscaled.answer("GET status", RecordedOutput.text("status.json"));

        assertThat(api.status(false))
                .isEqualTo(new TailscaleStatus(
                        "1.98.9",
                        IpnNotification.State.STARTING,
                        "4",
                        "exit-2.tail.test",
                        "exit",
                        List.of(Prefix.parseAddress("100.64.0.4"), Prefix.parseAddress("fd7a:115c:a1e0::4")),
                        "tail.test",
                        false,
                        Set.of(),
                        Set.of(),
                        List.of()));
    }

    @Test
    void online_peers_are_found() throws IOException {
        tailscaled.answer("GET status", """
                {"Version": "1.98.9-t0", "BackendState": "Running", "Self": {"ExitNodeOption": true}, "Peer": {
                 "nodekey:1": {"Online": true, "TailscaleIPs": ["100.64.0.2", "fd7a:115c:a1e0::2"]},
                 "nodekey:2": {"Online": false, "TailscaleIPs": ["100.64.0.3"]},
                 "nodekey:3": {"Online": true, "TailscaleIPs": null}}}""");

        TailscaleStatus status = api.status(true);
        assertThat(status.onlinePeers()).containsExactly(Prefix.parseAddress("100.64.0.2"));
        assertThat(status.exitApproved()).isTrue();
        assertThat(status.version()).isEqualTo("1.98.9");
    }

    @Test
    void the_exit_node_is_advertised_in_both_families_in_addition_to_subnets() throws Exception {
        tailscaled
                .answer("GET prefs", "{\"AdvertiseRoutes\": [\"192.0.2.0/24\"]}")
                .answer("PATCH prefs", "{}")
                .answer("GET check-ip-forwarding", "{\"Warning\":\"\"}")
                .answer("GET status", RecordedOutput.text("status.json"));

        new TailscaleNode(api).applyPreferences(true, Optional.empty());

        assertThat(tailscaled.requests().poll(10, TimeUnit.SECONDS)).isEqualTo("GET prefs");
        assertThat(tailscaled.requests().poll(10, TimeUnit.SECONDS))
                .isEqualTo("PATCH prefs {\"AdvertiseRoutes\":[\"192.0.2.0/24\",\"0.0.0.0/0\",\"::/0\"],"
                        + "\"AdvertiseRoutesSet\":true}");
    }

    @Test
    void preferences_that_match_are_not_edited() {
        JsonObject offered = json("{\"AdvertiseRoutes\": [\"::/0\", \"0.0.0.0/0\", \"192.0.2.0/24\"]}");

        assertThat(ExitNodeAdvertisement.edit(offered, true)).isEmpty();
        assertThat(ExitNodeAdvertisement.edit(json("{\"AdvertiseRoutes\": null}"), false))
                .isEmpty();
        assertThat(ExitNodeAdvertisement.edit(offered, false).orElseThrow().getJsonArray("AdvertiseRoutes"))
                .hasToString("[\"192.0.2.0/24\"]");
    }

    @Test
    void a_refusal_has_tailscaleds_message() {
        assertThatThrownBy(() -> api.preferences())
                .isInstanceOf(IOException.class)
                .hasMessage("404 Not Found: 404 page not found");
    }

    @Test
    void a_request_without_response_times_out() {
        tailscaled.ignoreRequest("GET prefs");
        LocalApi hasty = new LocalApi(api.socket(), Duration.ofMillis(50));

        assertThatThrownBy(hasty::preferences).isInstanceOf(IOException.class);
    }

    @Test
    void a_missing_socket_is_an_error() {
        LocalApi withoutSocket = new LocalApi(directory.resolve("nowhere"), Duration.ofSeconds(10));

        assertThatThrownBy(withoutSocket::preferences).isInstanceOf(IOException.class);
    }

    @Test
    void the_bus_delivers_notifications() throws IOException {
        tailscaled.notify("{\"State\":2,\"NetMap\":null,\"Health\":{\"Warnings\":null}}");
        tailscaled.notify("{\"State\":null,\"BrowseToURL\":\"http://198.51.100.2:8080/register/x\"}");
        tailscaled.notify("{\"ErrMessage\":\"authkey already used\",\"Health\":{\"Warnings\":{\"login-state\":"
                + "{\"Severity\":\"medium\",\"Text\":\"You are logged out.\"}}}}");
        tailscaled.notify("{\"State\":6,\"SelfChange\":{\"ID\":4}}");

        try (IpnBusReader bus = api.watch()) {
            assertThat(bus.next())
                    .contains(new IpnNotification(
                            Optional.of(IpnNotification.State.NEEDS_LOGIN),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.of(Map.of()),
                            false));
            assertThat(bus.next().orElseThrow().loginUrl()).contains("http://198.51.100.2:8080/register/x");
            assertThat(bus.next())
                    .contains(new IpnNotification(
                            Optional.empty(),
                            Optional.empty(),
                            Optional.of("authkey already used"),
                            Optional.of(Map.of("login-state", "You are logged out.")),
                            false));
            assertThat(bus.next())
                    .contains(new IpnNotification(
                            Optional.of(IpnNotification.State.RUNNING),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.empty(),
                            true));
        }
    }

    static JsonObject json(String text) {
        try (var reader = Json.createReader(new StringReader(text))) {
            return reader.readObject();
        }
    }
}
