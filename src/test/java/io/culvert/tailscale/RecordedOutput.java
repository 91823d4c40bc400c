// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** RecordedOutput output of real programs: Tailscale 1.98.9 with Headscale 0.29.0. */
final class RecordedOutput {

    private RecordedOutput() {}

    static String text(String file) {
        try (InputStream in = Objects.requireNonNull(RecordedOutput.class.getResourceAsStream(file), file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
