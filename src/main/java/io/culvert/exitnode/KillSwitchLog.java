// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Logs what was corrected in the kill switch, and what overrides it. */
final class KillSwitchLog {

    private final Log log;
    private Set<String> reportedOverrides = Set.of();

    KillSwitchLog(Log log) {
        this.log = log;
    }

    /**
     * Logs the changes that were made: a warning where another program had changed the kill switch, information where
     * the plan changed with the machine or a name, and debug output where only the nftables ruleset did, as when the
     * mesh's own addresses become known.
     */
    void changes(boolean replanned, List<String> changes) {
        changes.forEach(line -> {
            if (replanned && line.equals(KillSwitch.NFTABLES)) {
                log.debug("kill switch: updated: " + line);
            } else if (replanned) {
                log.info("kill switch: updated: " + line);
            } else {
                log.warn("kill switch: reverted an external change: " + line);
            }
        });
    }

    /**
     * Logs rules and routes of other programs that override the kill switch, once when they appear and when all are
     * gone.
     */
    void overrides(Map<String, List<String>> overrides) {
        Set<String> now = sentences(overrides);
        now.stream().filter(sentence -> !reportedOverrides.contains(sentence)).forEach(log::warn);
        if (now.isEmpty() && !reportedOverrides.isEmpty()) {
            log.info("kill switch: both layers are in effect again");
        }
        reportedOverrides = now;
    }

    /** Returns a sentence for each rule or route that overrides a layer. */
    static Set<String> sentences(Map<String, List<String>> overrides) {
        Set<String> sentences = new LinkedHashSet<>();
        overrides.forEach((layer, reasons) ->
                reasons.forEach(reason -> sentences.add("kill switch: " + layer + " not in effect (" + reason + ")")));
        return sentences;
    }
}
