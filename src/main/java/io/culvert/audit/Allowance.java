// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.packetpath.Logic;
import io.culvert.packetpath.PacketFields;
import io.culvert.packetpath.PacketPath.SentFields;
import java.util.List;
import java.util.Optional;

/**
 * Traffic that the settings allow.
 *
 * @param sentence what it is, and whose
 * @param from the link that it comes in through; empty for traffic of local processes, and for incoming traffic of every uplink
 * @param patterns the packets are of any of these kinds
 */
record Allowance(String sentence, Optional<String> from, List<TrafficPattern> patterns) {

    Allowance {
        patterns = List.copyOf(patterns);
    }

    /** Returns an allowance for local processes, or for what comes in through an uplink. */
    static Allowance of(String sentence, TrafficPattern... patterns) {
        return new Allowance(sentence, Optional.empty(), List.of(patterns));
    }

    /** Returns the same traffic except some. */
    Allowance except(TrafficPattern exception) {
        return new Allowance(
                sentence,
                from,
                patterns.stream().map(pattern -> pattern.except(exception)).toList());
    }

    <B> B matches(Logic<B> logic, PacketFields<B> first, SentFields<B> last) {
        return logic.anyOf(patterns.stream()
                .map(pattern -> pattern.matches(logic, first, last))
                .toList());
    }
}
