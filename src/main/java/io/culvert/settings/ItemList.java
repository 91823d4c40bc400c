package io.culvert.settings;

import io.culvert.settings.Malformed.Fault;
import java.util.ArrayList;
import java.util.List;

/** Parses a list separated by commas, spaces or line ends. Invalid items are reported by their positions, from 1. */
record ItemList<T>(Parser<T> item) implements Parser<List<T>> {

    /** The maximum number of faults reported, because more would hide other problems. */
    private static final int MOST_FAULTS = 20;

    @Override
    public List<T> parse(String text) {
        List<T> items = new ArrayList<>();
        List<Fault> faults = new ArrayList<>();
        int position = 0;
        for (String word : Screen.notWireGuardFile(text).split("[,\\s]+", -1)) {
            if (word.isEmpty()) {
                continue;
            }
            position++;
            try {
                items.add(item.screened().parse(word));
            } catch (Malformed malformed) {
                for (Fault fault : malformed.faults()) {
                    faults.add(new Fault("item " + position + ": " + fault.what(), fault.cure()));
                }
            }
        }
        if (position == 0) {
            faults.add(new Fault("contains separators but no item", "add an item, or remove the setting"));
        }
        if (!faults.isEmpty()) {
            throw new Malformed(few(faults));
        }
        return List.copyOf(items);
    }

    private static List<Fault> few(List<Fault> faults) {
        if (faults.size() <= MOST_FAULTS) {
            return faults;
        }
        List<Fault> few = new ArrayList<>(faults.subList(0, MOST_FAULTS));
        few.add(new Fault((faults.size() - MOST_FAULTS) + " more invalid items", "correct the ones above first"));
        return few;
    }
}
