// SPDX-License-Identifier: Apache-2.0
package io.culvert.deploy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A script run to its end.
 *
 * @param output its standard output and standard error
 */
record ScriptRun(int status, String output) {

    static ScriptRun of(Path directory, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        try (InputStream output = process.getInputStream()) {
            String text = new String(output.readAllBytes(), StandardCharsets.UTF_8);
            return new ScriptRun(process.waitFor(), text);
        }
    }
}
