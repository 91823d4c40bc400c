package io.culvert.settings;

import io.culvert.ip.Prefix;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a setting has come to.
 *
 * @param content empty where it is absent and has no default
 */
record Value<T>(Setting<T> setting, Optional<T> content, Origin origin) {

    /** More items than this would bury the rest. */
    private static final int SHOWN_ITEMS = 8;

    boolean isDefault() {
        return origin instanceof Origin.Default;
    }

    /** For people; never a secret. */
    String shown() {
        if (setting.secret()) {
            return content.isPresent() ? "[set]" : "[not set]";
        }
        if (isDefault() && setting.defaultText().isPresent()) {
            return setting.defaultText().get();
        }
        return content.map(Value::text).orElseGet(() -> setting.defaultMeaning().replace("`", ""));
    }

    private static String text(Object content) {
        return switch (content) {
            case Collection<?> items -> items(List.copyOf(items));
            case InetAddress address -> Prefix.text(address);
            // The mark is the only one, and ip and nft show it so.
            case Long mark -> "0x" + Long.toHexString(mark);
            default -> content.toString();
        };
    }

    private static String items(List<?> items) {
        String shown = items.stream().limit(SHOWN_ITEMS).map(Value::text).collect(Collectors.joining(", "));
        return items.size() <= SHOWN_ITEMS ? shown : shown + " and " + (items.size() - SHOWN_ITEMS) + " more";
    }
}
