// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import picocli.CommandLine.IVersionProvider;

/** Reads the version of the program, which the build writes to the resource next to this class. */
final class Version implements IVersionProvider {

    @Override
    public String[] getVersion() {
        try (InputStream text = Objects.requireNonNull(Version.class.getResourceAsStream("version"))) {
            return new String[] {"culvert " + new String(text.readAllBytes(), StandardCharsets.UTF_8).strip()};
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
