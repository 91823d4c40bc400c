// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The JSON Schema of network files, for validation and completion in editors. */
public final class NetworkSchema {

    private static final String RESOURCE = "network.schema.json";

    private NetworkSchema() {}

    public static String text() {
        try (InputStream in = NetworkSchema.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException(RESOURCE + " is missing from the program");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
