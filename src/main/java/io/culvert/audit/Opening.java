// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.net.Family;
import java.util.List;
import java.util.Optional;

/**
 * Allowed traffic that passes now.
 *
 * @param link that it leaves by, or for incoming traffic comes in through
 * @param from the link that forwarded traffic comes in through
 * @param sentence of the allowance
 * @param rules that admit it, in words
 */
record Opening(String link, Optional<String> from, String sentence, List<Family> families, List<String> rules) {

    Opening {
        families = List.copyOf(families);
        rules = List.copyOf(rules);
    }
}
