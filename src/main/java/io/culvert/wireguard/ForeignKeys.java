package io.culvert.wireguard;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Keys of WireGuard's relatives, which wg does not know: what can be done without them. */
final class ForeignKeys {

    /**
     * AmneziaWG's (amneziawg-tools, src/config.c, versions 1 to 3) that change only what we send beside the protocol,
     * or when: a plain server does not mind their absence.
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

    /** AmneziaWG's that change the packets themselves. */
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

    private record Found(String key, Word name, Word value) {

        boolean isAmnezia() {
            return AMNEZIA_ADDITIONS.contains(key) || AMNEZIA_CHANGES.contains(key);
        }

        /** Whether a plain WireGuard peer would not understand us, or we not it. */
        boolean changesPackets() {
            if (!AMNEZIA_CHANGES.contains(key)) {
                return false;
            }
            // H1 to H4 are the message types, which WireGuard numbers 1 to 4 (whitepaper, section 5.4).
            String plain = key.startsWith("h") && key.length() == 2 ? key.substring(1) : "0";
            return !value.compact().equals(plain) && !value.compact().equalsIgnoreCase("off");
        }
    }

    private final List<Found> all = new ArrayList<>();

    /** Keeps the line if it is one of these. */
    boolean take(Word name, Word value) {
        Found found = new Found(name.compact().toLowerCase(Locale.ROOT), name, value);
        boolean foreign = found.isAmnezia() || ANDROID.contains(found.key) || found.key.equals(RESERVED);
        if (foreign) {
            all.add(found);
        }
        return foreign;
    }

    void tell(Report report) {
        amnezia(report);
        for (Found found : all) {
            if (ANDROID.contains(found.key)) {
                report.warning(found.name, found.name.text() + " is for Android only", "delete this line");
            } else if (found.key.equals(RESERVED) && !found.value.compact().matches("[0,]*")) {
                report.warning(
                        found.name,
                        "Reserved is not plain WireGuard: the server may not answer without these bytes",
                        "if there is no handshake, get a plain WireGuard file");
            }
        }
    }

    private void amnezia(Report report) {
        List<Found> changes = all.stream().filter(Found::changesPackets).toList();
        Optional<Found> first = all.stream().filter(Found::isAmnezia).findFirst();
        if (!changes.isEmpty()) {
            report.error(
                    changes.getFirst().name,
                    "this file needs AmneziaWG, which is not plain WireGuard, for " + names(changes),
                    "get a plain WireGuard file from your provider");
        } else if (first.isPresent()) {
            report.warning(
                    first.get().name,
                    "AmneziaWG's keys are left out, the server may do without: "
                            + names(all.stream().filter(Found::isAmnezia).toList()),
                    "if there is no handshake, get a plain WireGuard file");
        }
    }

    private static String names(List<Found> found) {
        return found.stream().map(each -> each.name.text()).distinct().collect(Collectors.joining(", "));
    }
}
