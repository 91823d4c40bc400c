package io.culvert.settings;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One row of the catalogue.
 *
 * @param name of the environment variable
 * @param aliases accepted as well
 * @param defaultText what stands for an absent value, as the user would write it; empty where absence has a meaning of
 *     its own
 * @param defaultMeaning how absence is told to people
 * @param secret whether its value is never shown
 * @param meaning one line of Markdown
 */
public record Setting<T>(
        Group group,
        String name,
        List<String> aliases,
        Parser<T> parser,
        Optional<String> defaultText,
        String defaultMeaning,
        boolean secret,
        String meaning) {

    /** What belongs together when settings are shown. */
    public enum Group {
        TUNNEL("Tunnel"),
        MESH("Mesh"),
        SOCKS("SOCKS5 proxy"),
        PAST("Past the tunnel"),
        REST("Other");

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

    /** The name, then the aliases. */
    public List<String> names() {
        return Stream.concat(Stream.of(name), aliases.stream()).toList();
    }

    /** The variable that names a file with the value, for one of {@link #names}. */
    static String fileVariable(String name) {
        return name + "_FILE";
    }
}
