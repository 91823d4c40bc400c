// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.imports;

import java.util.ArrayList;
import java.util.List;

/** Parses comma-separated values with quotes (RFC 4180). */
final class Csv {

    private Csv() {}

    /** Returns the records, without empty ones. */
    static List<List<String>> of(String text) {
        List<List<String>> records = new ArrayList<>();
        List<String> record = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i <= text.length(); i++) {
            char c = i < text.length() ? text.charAt(i) : '\n';
            if (quoted && i < text.length()) {
                if (c != '"') {
                    field.append(c);
                } else if (i + 1 < text.length() && text.charAt(i + 1) == '"') {
                    field.append(c);
                    i++;
                } else {
                    quoted = false;
                }
            } else if (c == '"') {
                quoted = true;
            } else if (c == ',' || c == '\n') {
                record.add(field.toString());
                field.setLength(0);
                if (c == '\n') {
                    add(records, record);
                    record = new ArrayList<>();
                }
            } else if (c != '\r') {
                field.append(c);
            }
        }
        return records;
    }

    private static void add(List<List<String>> records, List<String> record) {
        if (record.size() > 1 || !record.getFirst().isBlank()) {
            records.add(record);
        }
    }
}
