// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * An nftables rule with a comment that explains it.
 *
 * @param comment why the rule exists, also its name. At most 127 bytes (libnftnl: {@code NFTNL_UDATA_COMMENT_MAXLEN} is
 *     128 with the terminating zero)
 */
public record NftRule(String comment, List<Statement> statements) {

    private static final int MAX_COMMENT_BYTES = 127;

    public NftRule {
        statements = List.copyOf(statements);
        if (comment.isBlank()
                || comment.getBytes(StandardCharsets.UTF_8).length > MAX_COMMENT_BYTES
                || comment.chars().anyMatch(c -> c == '"' || c == '\\' || Character.isISOControl(c))) {
            throw new IllegalArgumentException("'" + comment + "' is not a valid comment of a rule");
        }
        if (statements.isEmpty()) {
            throw new IllegalArgumentException("the rule '" + comment + "' has no statements");
        }
    }

    public static NftRule of(String comment, Statement... statements) {
        return new NftRule(comment, List.of(statements));
    }
}
