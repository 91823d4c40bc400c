// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.wireguard.config.FileProblem.Reason;
import io.culvert.wireguard.config.FileProblem.Reason.Plain;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Collects keys of WireGuard forks and other clients, which wg(8) does not know, and reports what they mean. */
final class ForeignKeys {

    /**
     * AmneziaWG keys (amneziawg-tools, src/config.c, versions 1 to 3) that only change what the client sends in
     * addition to the protocol, or when it sends: a plain WireGuard server does not need them.
     */
    private static final Set<String> AMNEZIA_ADDITIONS = Set.of(
            "jc",
            "jmin",
            "jmax",
            "i1",
            "i2",
            "i3",
            "i4",
            "i5",
            "j1",
            "j2",
            "j3",
            "itime",
            "rekeyaftertime",
            "rekeytimeout",
            "rejectaftertime",
            "keepalivetimeout",
            "maxhandshakeattempts",
            "disablecookies",
            "advancedsecurity");

    /** AmneziaWG keys that change the packets themselves. */
    private static final Set<String> AMNEZIA_CHANGES = Set.of(
            "s1",
            "s2",
            "s3",
            "s4",
            "h1",
            "h2",
            "h3",
            "h4",
            "headerprotectionkey",
            "contentpaddingaddition",
            "randomtrailers");

    private static final Set<String> ANDROID = Set.of("includedapplications", "excludedapplications");

    private static final String RESERVED = "reserved";

    private record ForeignKey(String key, FileWord name, FileWord value) {

        boolean isAmnezia() {
            return AMNEZIA_ADDITIONS.contains(key) || AMNEZIA_CHANGES.contains(key);
        }

        /** Returns whether this value makes packets incompatible with a plain WireGuard peer. */
        boolean changesPackets() {
            if (!AMNEZIA_CHANGES.contains(key)) {
                return false;
            }
            // H1 to H4 are the message types, which WireGuard numbers 1 to 4 (whitepaper, section 5.4).
            String plain = key.startsWith("h") && key.length() == 2 ? key.substring(1) : "0";
            return !value.compact().equals(plain) && !value.compact().equalsIgnoreCase("off");
        }
    }

    private final List<ForeignKey> collected = new ArrayList<>();

    /** Stores the line if its key is one of these, and returns whether it is. */
    boolean collect(FileWord name, FileWord value) {
        ForeignKey foreignKey = new ForeignKey(name.compact().toLowerCase(Locale.ROOT), name, value);
        boolean foreign = foreignKey.isAmnezia() || ANDROID.contains(foreignKey.key) || foreignKey.key.equals(RESERVED);
        if (foreign) {
            collected.add(foreignKey);
        }
        return foreign;
    }

    void reportTo(FileProblems report) {
        reportAmnezia(report);
        for (ForeignKey foreignKey : collected) {
            if (ANDROID.contains(foreignKey.key)) {
                report.warning(foreignKey.name, new Reason.AndroidOnly(foreignKey.name.text()));
            } else if (foreignKey.key.equals(RESERVED)
                    && !foreignKey.value.compact().matches("[0,]*")) {
                report.warning(foreignKey.name, Plain.RESERVED_BYTES);
            }
        }
    }

    private void reportAmnezia(FileProblems report) {
        List<ForeignKey> changes =
                collected.stream().filter(ForeignKey::changesPackets).toList();
        Optional<ForeignKey> first =
                collected.stream().filter(ForeignKey::isAmnezia).findFirst();
        if (!changes.isEmpty()) {
            report.error(changes.getFirst().name, new Reason.AmneziaRequired(names(changes)));
        } else if (first.isPresent()) {
            report.warning(
                    first.get().name,
                    new Reason.AmneziaIgnored(names(
                            collected.stream().filter(ForeignKey::isAmnezia).toList())));
        }
    }

    private static List<String> names(List<ForeignKey> keys) {
        return keys.stream().map(key -> key.name.text()).distinct().toList();
    }
}
