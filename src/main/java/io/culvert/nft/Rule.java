package io.culvert.nft;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What happens to some packets, and why.
 *
 * @param comment why the rule is there; also its name. At most 127 bytes (libnftnl: {@code NFTNL_UDATA_COMMENT_MAXLEN}
 *     is 128 with the closing zero)
 */
public record Rule(String comment, List<Statement> statements) {

    private static final int LONGEST_COMMENT = 127;

    public Rule {
        statements = List.copyOf(statements);
        if (comment.isBlank()
                || comment.getBytes(StandardCharsets.UTF_8).length > LONGEST_COMMENT
                || comment.chars().anyMatch(c -> c == '"' || c == '\\' || Character.isISOControl(c))) {
            throw new IllegalArgumentException("'" + comment + "' cannot be a rule's comment");
        }
        if (statements.isEmpty()) {
            throw new IllegalArgumentException("the rule '" + comment + "' does nothing");
        }
    }

    public static Rule of(String comment, Statement... statements) {
        return new Rule(comment, List.of(statements));
    }
}
