// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.leaktest.LeakTestSummary;
import io.culvert.net.Endpoint;
import io.culvert.net.Prefix;
import io.culvert.status.StatusReport;
import io.culvert.wireguard.device.DeviceState;
import io.culvert.wireguard.device.DeviceState.PeerState;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot;
import io.prometheus.metrics.model.snapshots.StateSetSnapshot.StateSetDataPointSnapshot;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.stream.Collectors;

/** The metrics of a running exit node. Those of WireGuard have the names and labels of wireguard_exporter. */
final class Metrics {

    private final ExitNodeFigures figures;

    Metrics(ExitNodeFigures figures) {
        this.figures = figures;
    }

    /** Returns the response in the format that the client accepts: OpenMetrics, or Prometheus' own text format. */
    ApiResponse response(String accept) {
        ExpositionFormatWriter writer = accept.contains("application/openmetrics-text")
                ? OpenMetricsTextFormatWriter.create()
                : PrometheusTextFormatWriter.create();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            writer.write(bytes, snapshots(), EscapingScheme.UNDERSCORE_ESCAPING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return ApiResponse.text(200, writer.getContentType(), bytes.toString(StandardCharsets.UTF_8));
    }

    private MetricSnapshots snapshots() {
        StatusReport status = figures.status();
        MetricSnapshots.Builder all = MetricSnapshots.builder();
        addWireGuard(all);
        StateSetDataPointSnapshot.Builder states = StateSetDataPointSnapshot.builder();
        for (StatusReport.State state : StatusReport.State.values()) {
            states.state(state.toString(), state == status.state());
        }
        all.metricSnapshot(StateSetSnapshot.builder()
                .name("culvert_state")
                .help("State of the exit node.")
                .dataPoint(states.build())
                .build());
        all.metricSnapshot(gauge("culvert_ready", "Whether traffic gets through.", status.healthy() ? 1 : 0));
        GaugeSnapshot.Builder layers = GaugeSnapshot.builder()
                .name("culvert_kill_switch_layer_active")
                .help("Whether a layer of the kill switch is as planned and in effect.");
        status.killSwitch()
                .forEach((layer, active) -> layers.dataPoint(GaugeDataPointSnapshot.builder()
                        .labels(Labels.of("layer", layer))
                        .value(active ? 1 : 0)
                        .build()));
        all.metricSnapshot(layers.build());
        all.metricSnapshot(counter(
                "culvert_server_changes",
                "Times that another server was selected without a request, as by a fail-over.",
                (double) figures.serverChanges()));
        all.metricSnapshot(counter(
                "culvert_kill_switch_restorations",
                "Times that the kill switch was restored after another program had changed it.",
                (double) figures.restorations()));
        all.metricSnapshot(gauge(
                "culvert_audit_violations",
                "Kinds of packets that could leave or come in although the settings do not allow it.",
                figures.auditViolations()));
        all.metricSnapshot(gauge(
                "culvert_problems",
                "Current errors and warnings.",
                status.problems().size()));
        status.facts()
                .forwardedPort()
                .port()
                .ifPresent(port -> all.metricSnapshot(
                        gauge("culvert_forwarded_port", "Port that the provider forwards through the tunnel.", port)));
        status.leakTest().ifPresent(test -> addLeakTest(test, all));
        figures.roundTrip()
                .ifPresent(time -> all.metricSnapshot(gauge(
                        "culvert_tunnel_round_trip_seconds",
                        "Median round trip of the latest probes through the tunnel.",
                        time.toNanos() / 1e9)));
        figures.lossPercent()
                .ifPresent(percent -> all.metricSnapshot(gauge(
                        "culvert_tunnel_loss_ratio",
                        "Share of the latest probes through the tunnel without an answer.",
                        percent / 100.0)));
        return all.build();
    }

    private static void addLeakTest(LeakTestSummary test, MetricSnapshots.Builder all) {
        all.metricSnapshot(gauge(
                "culvert_leak_test_passed",
                "Whether nothing would have left in the latest leak test.",
                test.verdict() == LeakTestSummary.Verdict.PASSED ? 1 : 0));
        all.metricSnapshot(
                gauge("culvert_leak_test_timestamp_seconds", "UNIX timestamp of the latest leak test.", (double)
                        test.time().getEpochSecond()));
    }

    private void addWireGuard(MetricSnapshots.Builder all) {
        InfoSnapshot.Builder devices =
                InfoSnapshot.builder().name("wireguard_device").help("Metadata about a device.");
        InfoSnapshot.Builder peers = InfoSnapshot.builder()
                .name("wireguard_peer")
                .help(
                        "Metadata about a peer. The public_key label of peers is the peer's public key, not the device's.");
        CounterSnapshot.Builder received = CounterSnapshot.builder()
                .name("wireguard_peer_receive_bytes")
                .help("Number of bytes received from a given peer.");
        CounterSnapshot.Builder sent = CounterSnapshot.builder()
                .name("wireguard_peer_transmit_bytes")
                .help("Number of bytes transmitted to a given peer.");
        GaugeSnapshot.Builder handshakes = GaugeSnapshot.builder()
                .name("wireguard_peer_last_handshake_seconds")
                .help("UNIX timestamp for the last handshake with a given peer.");
        for (Map.Entry<String, DeviceState> device : figures.devices().entrySet()) {
            devices.dataPoint(InfoDataPointSnapshot.builder()
                    .labels(Labels.of(
                            "device",
                            device.getKey(),
                            "public_key",
                            device.getValue().publicKey().map(Object::toString).orElse("")))
                    .build());
            for (PeerState peer : device.getValue().peers()) {
                Labels key = Labels.of("public_key", peer.publicKey().toString());
                peers.dataPoint(InfoDataPointSnapshot.builder()
                        .labels(Labels.of(
                                "allowed_ips",
                                peer.allowedIps().stream().map(Prefix::toString).collect(Collectors.joining(",")),
                                "device",
                                device.getKey(),
                                "endpoint",
                                peer.endpoint()
                                        .map(endpoint -> Endpoint.of(endpoint).toString())
                                        .orElse(""),
                                "public_key",
                                peer.publicKey().toString()))
                        .build());
                received.dataPoint(CounterDataPointSnapshot.builder()
                        .labels(key)
                        .value((double) peer.receivedBytes())
                        .build());
                sent.dataPoint(CounterDataPointSnapshot.builder()
                        .labels(key)
                        .value((double) peer.sentBytes())
                        .build());
                handshakes.dataPoint(GaugeDataPointSnapshot.builder()
                        .labels(key)
                        .value(peer.lastHandshake().map(Instant::getEpochSecond).orElse(0L))
                        .build());
            }
        }
        all.metricSnapshot(devices.build());
        all.metricSnapshot(peers.build());
        all.metricSnapshot(received.build());
        all.metricSnapshot(sent.build());
        all.metricSnapshot(handshakes.build());
    }

    private static GaugeSnapshot gauge(String name, String help, double value) {
        return GaugeSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(GaugeDataPointSnapshot.builder().value(value).build())
                .build();
    }

    private static CounterSnapshot counter(String name, String help, double value) {
        return CounterSnapshot.builder()
                .name(name)
                .help(help)
                .dataPoint(CounterDataPointSnapshot.builder().value(value).build())
                .build();
    }
}
