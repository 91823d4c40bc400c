// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.Locale;
import java.util.Set;

/** Formats a text as a YAML scalar: plain where that is unambiguous, else quoted. */
public final class YamlWord {

    private static final Set<String> RESERVED =
            Set.of("null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "");

    private YamlWord() {}

    public static String of(String text) {
        boolean plain = text.matches("[A-Za-z0-9_./+=][A-Za-z0-9_./+=-]*(:[A-Za-z0-9_./+=:-]+)?")
                && !text.matches("[0-9.+][0-9.+_eExXoa-fA-F]*")
                && !text.endsWith(":")
                && !RESERVED.contains(text.toLowerCase(Locale.ROOT));
        boolean address = text.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}(/[0-9]{1,2})?");
        return plain || address ? text : quoted(text);
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f || Character.isSurrogate(c) || c > 0x7e) {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
