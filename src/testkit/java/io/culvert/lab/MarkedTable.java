// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The generated text of a page, between {@code <!-- NAME -->} and {@code <!-- /NAME -->}. */
public final class MarkedTable {

    private MarkedTable() {}

    /** Replaces it. */
    public static void replace(Path page, String name, String table) {
        try {
            String text = Files.readString(page);
            String begin = "<!-- " + name + " -->\n";
            int from = text.indexOf(begin) + begin.length();
            int to = text.indexOf("<!-- /" + name + " -->", from);
            if (from < begin.length() || to < 0) {
                throw new IllegalArgumentException(page + " has no table '" + name + "'");
            }
            Files.writeString(page, text.substring(0, from) + table + text.substring(to));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
