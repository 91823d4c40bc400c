// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import static java.util.stream.Collectors.joining;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonValue;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Measures the existing images: the size of each flavour, its start time after the container engine has started it, and the
 * resident memory of the program while idle.
 */
public final class ImageBench {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final int ROUNDS = Integer.getInteger("rounds", 7);

    private enum Metric {
        UNPACKED("size, unpacked", "MB"),
        PACKED("size, packed by gzip", "MB"),
        KILL_SWITCH_ACTIVE("start to \"kill switch: active\"", "ms"),
        CONNECTED("start to the tunnel's first handshake", "ms"),
        READY("start to \"ready\", the SOCKS5 proxy included", "ms"),
        RESIDENT("resident memory of the program, idle", "MB");

        private final String text;
        private final String unit;

        Metric(String text, String unit) {
            this.text = text;
            this.unit = unit;
        }
    }

    /** An image and its labels. */
    private record Image(String program, String tailscale, String id) {

        private String name() {
            return program.replace("java", "JVM") + ", " + tailscale.replace("none", "WireGuard");
        }
    }

    private final ContainerEngine engine;
    private final String providersFile;

    private ImageBench(Lab lab, ContainerEngine engine) {
        this.engine = engine;
        this.providersFile = engine.file("provider.conf", lab.provider().file()) + ":/etc/wireguard/wg0.conf:ro";
    }

    /** The property {@code figures} names the file whose table is updated. */
    public static void main(String[] arguments) {
        try (Lab lab = Lab.open();
                ContainerEngine engine = ContainerEngine.on(lab)) {
            new ImageBench(lab, engine).measure(System.getProperty("figures", ""));
        } catch (AssertionError e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        System.exit(0);
    }

    private void measure(String file) {
        engine.run("network", "create", "--ipv6", "world");
        List<Image> images = images();
        Map<Image, Map<Metric, Double>> all = new LinkedHashMap<>();
        for (Image image : images) {
            Map<Metric, Double> values = all.computeIfAbsent(image, _ -> new EnumMap<>(Metric.class));
            values.put(Metric.UNPACKED, megabytes(engine.run("image", "inspect", "--format", "{{.Size}}", image.id())));
            values.put(Metric.PACKED, megabytes(packed(image)));
        }
        Map<Image, Map<Metric, List<Double>>> rounds = new LinkedHashMap<>();
        for (int round = 0; round < ROUNDS; round++) {
            for (Image image : images) {
                Map<Metric, List<Double>> lists = rounds.computeIfAbsent(image, _ -> new EnumMap<>(Metric.class));
                measureStart(image)
                        .forEach((metric, value) -> lists.computeIfAbsent(metric, _ -> new ArrayList<>())
                                .add(value));
            }
        }
        all.forEach((image, values) -> rounds.getOrDefault(image, Map.of())
                .forEach((metric, each) ->
                        values.put(metric, each.stream().sorted().toList().get(each.size() / 2))));
        String table = table(all);
        System.out.print(table);
        boolean complete =
                images.stream().filter(it -> it.program().equals("native")).count() == 3;
        if (!file.isEmpty() && complete) {
            MarkedTable.replace(Path.of(file), "image", table);
        } else {
            System.out.println("docs/figures.md keeps its figures: the native images are not all there ('make"
                    + " image', also with TAILSCALE=minimal and TAILSCALE=none, with GRAALVM_HOME)");
        }
    }

    /** Returns the newest image of each kind. */
    private List<Image> images() {
        Map<String, Image> newest = new TreeMap<>(Comparator.reverseOrder());
        Json.createReader(new StringReader(
                        engine.run("images", "--format", "json", "--filter", "label=io.culvert.program")))
                .readArray()
                .stream()
                .map(JsonValue::asJsonObject)
                .filter(image -> image.containsKey("Names"))
                .sorted(Comparator.comparingInt(image -> image.getInt("Created")))
                .forEach(image -> {
                    JsonObject labels = image.getJsonObject("Labels");
                    Image measured = new Image(
                            labels.getString("io.culvert.program"),
                            labels.getString("io.culvert.tailscale"),
                            image.getString("Id"));
                    newest.put(measured.name(), measured);
                });
        return List.copyOf(newest.values());
    }

    private String packed(Image image) {
        // In Podman's namespaces, which have a shell.
        return engine.run(
                "unshare",
                "sh",
                "-c",
                "podman save --quiet --format docker-archive \"$0\" | gzip -6 | wc -c",
                image.id());
    }

    private Map<Metric, Double> measureStart(Image image) {
        String id = engine.run(
                        "create",
                        "--network",
                        "world",
                        "--cap-drop",
                        "ALL",
                        "--cap-add",
                        "NET_ADMIN",
                        "--device",
                        "/dev/net/tun",
                        "--env",
                        "CULVERT_MESH=none",
                        "--env",
                        "CULVERT_SOCKS=true",
                        "--volume",
                        providersFile,
                        image.id())
                .strip();
        engine.run("start", id);
        engine.awaitLine(id, "^ready: ", TIMEOUT);
        Instant start = Instant.ofEpochSecond(0, Long.parseLong(engine.inspect(id, ".State.StartedAt.UnixNano")));
        Map<Metric, Double> values = new EnumMap<>(Metric.class);
        values.put(Metric.KILL_SWITCH_ACTIVE, millisUntilLine(start, id, "kill switch: active"));
        values.put(Metric.CONNECTED, millisUntilLine(start, id, "tunnel: connected to"));
        values.put(Metric.READY, millisUntilLine(start, id, "ready: "));
        values.put(Metric.RESIDENT, residentMegabytes(engine.inspect(id, ".State.Pid")));
        engine.run("rm", "--force", "--time", "1", id);
        return values;
    }

    /** Returns the milliseconds until a line was logged, from the engine's log: time, stream, a letter, the line. */
    private double millisUntilLine(Instant start, String id, String prefix) {
        try (Stream<String> lines = Files.lines(Path.of(engine.inspect(id, ".HostConfig.LogConfig.Path")))) {
            Instant logged = lines.map(line -> line.split(" ", 4))
                    .filter(parts -> parts.length == 4 && parts[3].startsWith(prefix))
                    .map(parts -> OffsetDateTime.parse(parts[0]).toInstant())
                    .findFirst()
                    .orElseThrow();
            return Duration.between(start, logged).toNanos() / 1e6;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double residentMegabytes(String pid) {
        try {
            // Three seconds after its start, the program releases what only that needed.
            new CountDownLatch(1).await(5, TimeUnit.SECONDS);
            return ProcessMemory.usage(Long.parseLong(pid), "").orElseThrow().resident();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static double megabytes(String bytes) {
        return Double.parseDouble(bytes.strip()) / 1e6;
    }

    private static String table(Map<Image, Map<Metric, Double>> all) {
        StringBuilder table = new StringBuilder("| image |");
        all.keySet().forEach(image -> table.append(" %s |".formatted(image.name())));
        table.append("\n|---|").append("---|".repeat(all.size())).append("\n");
        for (Metric metric : Metric.values()) {
            table.append("| %s |%s%n"
                    .formatted(
                            metric.text,
                            all.values().stream()
                                    .map(values -> " %.0f %s |".formatted(values.get(metric), metric.unit))
                                    .collect(joining())));
        }
        return table.append("\nMedians of %d starts on %d cores, %s.\n"
                        .formatted(ROUNDS, Runtime.getRuntime().availableProcessors(), LocalDate.now(ZoneOffset.UTC)))
                .toString();
    }
}
