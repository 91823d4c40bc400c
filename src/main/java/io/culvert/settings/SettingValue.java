// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The effective value of a setting.
 *
 * @param content empty if the setting is unset and has no default
 */
record SettingValue<T>(Setting<T> setting, Optional<T> content, Origin origin) {

    /** The maximum number of items shown, because more would hide the rest. */
    private static final int SHOWN_ITEMS = 8;

    boolean isDefault() {
        return origin instanceof Origin.Default;
    }

    /** Returns the value as it is shown; never a secret. */
    String shown() {
        if (setting.secret()) {
            return content.isPresent() ? "[set]" : "[not set]";
        }
        if (isDefault() && setting.defaultText().isPresent()) {
            return setting.defaultText().get();
        }
        return content.map(SettingValue::text)
                .orElseGet(() -> setting.defaultDescription().replace("`", ""));
    }

    private static String text(Object content) {
        return switch (content) {
            case Collection<?> items -> items(List.copyOf(items));
            case InetAddress address -> Prefix.text(address);
            // The only such value is the firewall mark, which ip and nft show in hexadecimal.
            case Long mark -> "0x" + Long.toHexString(mark);
            default -> content.toString();
        };
    }

    private static String items(List<?> items) {
        String shown = items.stream().limit(SHOWN_ITEMS).map(SettingValue::text).collect(Collectors.joining(", "));
        return items.size() <= SHOWN_ITEMS ? shown : shown + " and " + (items.size() - SHOWN_ITEMS) + " more";
    }
}
