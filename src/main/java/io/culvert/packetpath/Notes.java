// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.nft.KernelTable;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What was found on the way that is not modelled, and by which packets may therefore leave. */
final class Notes {

    private final Set<String> notes = new LinkedHashSet<>();

    void add(KernelTable table, String what) {
        notes.add("table '" + table.fullName() + "' " + what);
    }

    void add(String what) {
        notes.add(what);
    }

    List<String> all() {
        return List.copyOf(notes);
    }
}
