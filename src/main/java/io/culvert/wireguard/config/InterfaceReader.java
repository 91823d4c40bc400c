// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.net.Prefix;
import io.culvert.wireguard.config.FileProblem.Reason;
import io.culvert.wireguard.config.FileProblem.Reason.Plain;
import io.culvert.wireguard.config.Section.Entry;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads the values of {@code [Interface]}. */
final class InterfaceReader {

    /** wg-quick accepts lists separated by commas or spaces. */
    private static final Pattern SEPARATOR = Pattern.compile("[,\\s]+");

    /** {@code ETH_MIN_MTU} (include/uapi/linux/if_ether.h). */
    private static final int MIN_MTU = 68;

    private static final long UNSIGNED_INT = 0xffff_ffffL;

    private final Section section;
    private final FileProblems report;
    private final ValueReader values;

    InterfaceReader(Section section, FileProblems report) {
        this.section = section;
        this.report = report;
        this.values = new ValueReader(report);
    }

    /** Reads the whole configuration; empty without a valid private key. */
    Optional<WireGuardConfig> read(String name, List<Peer> peers) {
        Optional<SecretKey> privateKey = privateKey();
        List<Prefix> addresses = addresses();
        List<InetAddress> servers = new ArrayList<>();
        List<String> domains = new ArrayList<>();
        dns(servers, domains);
        OptionalInt listenPort = number(Key.LISTEN_PORT, 0, 65535);
        OptionalInt mtu = number(Key.MTU, MIN_MTU, 65535);
        OptionalLong mark = mark();
        RoutingTable table = table();
        boolean saveConfig = saveConfig();
        List<Hook> hooks = hooks();
        return privateKey.map(key -> new WireGuardConfig(
                name, key, addresses, servers, domains, listenPort, mark, mtu, table, saveConfig, hooks, peers));
    }

    private Optional<SecretKey> privateKey() {
        Optional<Entry> entry = section.last(Key.PRIVATE_KEY);
        if (entry.isEmpty()) {
            report.error(section.header(), Plain.NO_PRIVATE_KEY);
        }
        return entry.flatMap(values::secretKey);
    }

    private List<Prefix> addresses() {
        List<Entry> entries = section.all(Key.ADDRESS);
        if (entries.isEmpty()) {
            report.missing(section.header(), Plain.NO_ADDRESS);
        }
        Set<Prefix> addresses = new LinkedHashSet<>();
        for (Entry entry : entries) {
            for (FileWord word : entry.value().split(SEPARATOR)) {
                values.prefix(entry, word)
                        .filter(prefix -> isOwnAddress(entry, word, prefix.address()))
                        .ifPresent(addresses::add);
            }
        }
        return List.copyOf(addresses);
    }

    private boolean isOwnAddress(Entry entry, FileWord word, InetAddress address) {
        boolean isValid = !address.isAnyLocalAddress() && !address.isMulticastAddress() && !address.isLoopbackAddress();
        if (!isValid) {
            report.error(word, new Reason.NotInterfaceAddress(entry.key(), word.text()));
        }
        return isValid;
    }

    private void dns(List<InetAddress> servers, List<String> domains) {
        for (Entry entry : section.all(Key.DNS)) {
            for (FileWord word : entry.value().split(SEPARATOR)) {
                if (word.text().matches("[0-9.]+") || word.text().contains(":")) {
                    values.address(entry, word).ifPresent(servers::add);
                } else {
                    values.domain(entry, word).ifPresent(domains::add);
                }
            }
        }
    }

    /** Returns the number; empty where it is absent, invalid or 0. */
    private OptionalInt number(Key key, int min, int max) {
        Optional<Entry> entry = section.last(key);
        OptionalLong number = entry.isEmpty() ? OptionalLong.empty() : values.number(entry.get(), min, max);
        return number.orElse(0) == 0 ? OptionalInt.empty() : OptionalInt.of((int) number.getAsLong());
    }

    private OptionalLong mark() {
        Optional<Entry> entry = section.last(Key.FW_MARK);
        OptionalLong mark = entry.isEmpty() ? OptionalLong.empty() : values.number(entry.get(), 0, UNSIGNED_INT);
        return mark.orElse(0) == 0 ? OptionalLong.empty() : mark;
    }

    private RoutingTable table() {
        Optional<Entry> entry = section.last(Key.TABLE);
        if (entry.isEmpty()) {
            return new RoutingTable.Auto();
        }
        // These names exist on every system (rtnetlink(7)); Culvert does not read rt_tables.
        return switch (entry.get().value().compact().toLowerCase(Locale.ROOT)) {
            case "auto" -> new RoutingTable.Auto();
            case "off" -> new RoutingTable.Off();
            case "default" -> new RoutingTable.Numbered(253);
            case "main" -> new RoutingTable.Numbered(254);
            case "local" -> new RoutingTable.Numbered(255);
            default -> {
                OptionalLong number = values.number(entry.get(), 1, UNSIGNED_INT);
                yield number.isPresent() ? new RoutingTable.Numbered(number.getAsLong()) : new RoutingTable.Auto();
            }
        };
    }

    private boolean saveConfig() {
        Optional<Entry> entry = section.last(Key.SAVE_CONFIG);
        String text = entry.map(entryValue -> entryValue.value().compact().toLowerCase(Locale.ROOT))
                .orElse("");
        if (text.equals("true")) {
            report.note(entry.orElseThrow().name(), Plain.SAVE_CONFIG);
        } else if (!text.isEmpty() && !text.equals("false")) {
            FileWord value = entry.orElseThrow().value();
            report.error(value, new Reason.NotBoolean(Key.SAVE_CONFIG, value.text()));
        }
        return text.equals("true");
    }

    private List<Hook> hooks() {
        List<Hook> hooks = new ArrayList<>();
        for (Entry entry : section.hooks()) {
            if (entry.value().isEmpty()) {
                continue;
            }
            String command = entry.value().text();
            Hook hook = new Hook(entry.key().toString(), command, entry.name().line(), Hook.Intent.of(command));
            hooks.add(hook);
            report.warning(entry.name(), new Reason.HookNotRun(hook));
        }
        return hooks;
    }
}
