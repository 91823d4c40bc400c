package io.culvert.nft;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * An nftables rule with a comment that explains it.
 *
 * @param comment why the rule exists, also its name. At most 127 bytes (libnftnl: {@code NFTNL_UDATA_COMMENT_MAXLEN} is
 *     128 with the terminating zero)
 */
public record Rule(String comment, List<Statement> statements) {

    private static final int LONGEST_COMMENT = 127;

    public Rule {
        statements = List.copyOf(statements);
        if (comment.isBlank()
                || comment.getBytes(StandardCharsets.UTF_8).length > LONGEST_COMMENT
                || comment.chars().anyMatch(c -> c == '"' || c == '\\' || Character.isISOControl(c))) {
            throw new IllegalArgumentException("'" + comment + "' is not a valid comment of a rule");
        }
        if (statements.isEmpty()) {
            throw new IllegalArgumentException("the rule '" + comment + "' has no statements");
        }
    }

    public static Rule of(String comment, Statement... statements) {
        return new Rule(comment, List.of(statements));
    }
}
