// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.wireguard.config.FileProblem.Reason;
import io.culvert.wireguard.config.FileProblem.Reason.Plain;
import io.culvert.wireguard.config.Key.Header;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reports useful information in a provider's comments. */
final class Comments {

    private static final Pattern PORT_FORWARDING =
            Pattern.compile("#\\s*NAT-PMP\\b[^=]*=\\s*on", Pattern.CASE_INSENSITIVE);

    /** A server label such as {@code NL-FREE#123456}, or {@code CH-US#1} for a multi-hop server in two countries. */
    private static final Pattern SERVER = Pattern.compile("#\\s*([A-Z]{2}(?:-[A-Z0-9]{1,12}){0,3}#[0-9]{1,7})");

    private final FileProblems report;

    Comments(FileProblems report) {
        this.report = report;
    }

    void read(FileWord comment, @Nullable Header section) {
        if (PORT_FORWARDING.matcher(comment.text()).matches()) {
            report.note(comment, Plain.PORT_FORWARDING);
        }
        Matcher server = SERVER.matcher(comment.text());
        if (section == Header.PEER && server.matches()) {
            report.note(comment, new Reason.ServerName(server.group(1)));
        }
    }
}
