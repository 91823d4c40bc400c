// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.image.CulvertContainer;
import io.culvert.image.Podman;
import io.culvert.image.RequiresPodman;
import io.culvert.lab.CommandResult;
import jakarta.json.Json;
import jakarta.json.JsonObject;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The steps of a release that read the image. */
@RequiresPodman
class ReleasedImageTest {

    @TempDir
    Path directory;

    @BeforeEach
    void makeWritableForPodman() throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    private static JsonObject json(String text) {
        return Json.createReader(new StringReader(text)).readObject();
    }

    @Test
    void the_SBOM_lists_the_components_of_the_image() {
        Path archive = directory.resolve("culvert.tar");
        Podman.run("save", "--format", "docker-archive", "--output", archive.toString(), CulvertContainer.IMAGE);

        String document = CommandResult.of(List.of("scripts/release/sbom", "1.2.3", archive.toString()))
                .outputOrFail();
        JsonObject bom = json(document);

        assertThat(bom.getString("bomFormat")).isEqualTo("CycloneDX");
        List<String> components = bom.getJsonArray("components").getValuesAs(JsonObject.class).stream()
                .map(component -> component.getString("purl"))
                .toList();
        assertThat(components).doesNotHaveDuplicates();
        // Programs may have different versions of one module.
        assertThat(components)
                .extracting(component -> component.replaceAll("@.*", ""))
                .contains("pkg:golang/tailscale.com", "pkg:golang/golang.zx2c4.com/wireguard", "pkg:golang/std")
                .contains("pkg:deb/debian/libc6", "pkg:deb/debian/dante-server");
        assertThat(CommandResult.of(List.of("scripts/release/sbom", "1.2.3", archive.toString()))
                        .outputOrFail())
                .as("reproducible")
                .isEqualTo(document);
    }

    @Test
    void an_index_contains_the_image_of_every_architecture_with_its_health_check() throws IOException {
        for (String architecture : List.of("amd64", "arm64")) {
            Files.writeString(directory.resolve("Containerfile"), """
                    FROM scratch
                    COPY Containerfile /%s
                    HEALTHCHECK CMD ["/culvert", "health"]
                    """.formatted(architecture));
            Files.setPosixFilePermissions(
                    directory.resolve("Containerfile"), PosixFilePermissions.fromString("rw-r--r--"));
            String name = "localhost/index-test:" + architecture;
            Podman.run(
                    "build",
                    "--quiet",
                    "--format",
                    "docker",
                    "--platform",
                    "linux/" + architecture,
                    "--tag",
                    name,
                    directory.toString());
            Podman.run(
                    "save",
                    "--format",
                    "docker-archive",
                    "--output",
                    directory.resolve(architecture + ".tar").toString(),
                    name);
            Podman.run("rmi", name);
        }
        Path index = Files.createDirectory(directory.resolve("index"));
        Files.setPosixFilePermissions(index, PosixFilePermissions.fromString("rwxrwxrwx"));

        CommandResult result = CommandResult.of(List.of(
                "env",
                "PODMAN=" + Path.of(".cache/bin/podman").toAbsolutePath(),
                "scripts/release/index",
                "dir:" + index,
                "docker-archive:" + directory.resolve("amd64.tar"),
                "docker-archive:" + directory.resolve("arm64.tar")));

        assertThat(result.outputOrFail()).isEqualTo("amd64\narm64\n");
        JsonObject manifest = json(Files.readString(index.resolve("manifest.json")));
        assertThat(manifest.getString("mediaType")).contains("manifest.list");
        for (JsonObject each : manifest.getJsonArray("manifests").getValuesAs(JsonObject.class)) {
            String digest = each.getString("digest").replace("sha256:", "");
            JsonObject image = json(Files.readString(index.resolve(digest + ".manifest.json")));
            String config = image.getJsonObject("config").getString("digest").replace("sha256:", "");
            assertThat(Files.readString(index.resolve(config))).contains("Healthcheck");
        }
    }

    @Test
    void an_index_without_images_is_refused() {
        CommandResult refused = CommandResult.of(List.of("scripts/release/index", "dir:/nowhere"));

        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err()).contains("No images: name at least one IMAGE.");
    }
}
