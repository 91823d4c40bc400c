// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A setting: one row of the catalogue.
 *
 * @param name of the environment variable
 * @param aliases other accepted names
 * @param defaultText the value of an unset setting, as a user would write it; empty if being unset has a meaning of its
 *     own
 * @param defaultDescription the description of the default for users
 * @param secret whether the value is never shown
 * @param description one line of Markdown
 */
public record Setting<T>(
        Group group,
        String name,
        List<String> aliases,
        Parser<T> parser,
        Optional<String> defaultText,
        String defaultDescription,
        boolean secret,
        String description) {

    /** The groups in which settings are shown. */
    public enum Group {
        TUNNEL("Tunnel"),
        MESH("Mesh"),
        PROXIES("Proxies"),
        GATEWAY("Gateway"),
        OUTSIDE("Outside the tunnel"),
        FORWARDED_PORT("Forwarded port"),
        HTTP("HTTP control server"),
        OTHER("Other");

        private final String title;

        Group(String title) {
            this.title = title;
        }

        @Override
        public String toString() {
            return title;
        }
    }

    public Setting {
        aliases = List.copyOf(aliases);
    }

    /** Returns the name, then the aliases. */
    public List<String> names() {
        return Stream.concat(Stream.of(name), aliases.stream()).toList();
    }

    /** Returns the name of the variable that contains the path of a file with the value, for one of {@link #names}. */
    static String fileVariable(String name) {
        return name + "_FILE";
    }
}
