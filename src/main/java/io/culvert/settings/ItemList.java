// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.settings.MalformedValue.Fault;
import java.util.ArrayList;
import java.util.List;

/** Parses a list separated by commas, spaces or line ends. Invalid items are reported by their positions, from 1. */
record ItemList<T>(Parser<T> item) implements Parser<List<T>> {

    /** The maximum number of faults reported, because more would hide other problems. */
    private static final int MAX_FAULTS = 20;

    @Override
    public List<T> parse(String text) {
        List<T> items = new ArrayList<>();
        List<Fault> faults = new ArrayList<>();
        int position = 0;
        for (String word : Redaction.rejectWireGuardFile(text).split("[,\\s]+", -1)) {
            if (word.isEmpty()) {
                continue;
            }
            position++;
            try {
                items.add(item.redacted().parse(word));
            } catch (MalformedValue malformed) {
                for (Fault fault : malformed.faults()) {
                    faults.add(new Fault("item " + position + ": " + fault.message(), fault.hint()));
                }
            }
        }
        if (position == 0) {
            faults.add(new Fault("contains separators but no item", "add an item, or remove the setting"));
        }
        if (!faults.isEmpty()) {
            throw new MalformedValue(limited(faults));
        }
        return List.copyOf(items);
    }

    private static List<Fault> limited(List<Fault> faults) {
        if (faults.size() <= MAX_FAULTS) {
            return faults;
        }
        List<Fault> limited = new ArrayList<>(faults.subList(0, MAX_FAULTS));
        limited.add(new Fault((faults.size() - MAX_FAULTS) + " more invalid items", "correct the ones above first"));
        return limited;
    }
}
