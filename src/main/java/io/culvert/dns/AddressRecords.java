// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import io.culvert.net.Family;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/**
 * The addresses of one family in a DNS response: those of the name itself or of its CNAMEs, without unrelated records
 * that were added to the response.
 *
 * @param ttl the lowest TTL of the records used
 */
record AddressRecords(List<InetAddress> addresses, Duration ttl) {

    /** More CNAMEs than any sane zone has; limits loops. */
    private static final int MAX_ALIASES = 16;

    private static final long MAX_TTL_SECONDS = 86_400;

    static int type(Family family) {
        return family == Family.IPV4 ? Type.A : Type.AAAA;
    }

    static AddressRecords read(Message response, Name name, Family family) {
        Name currentName = name;
        long seconds = MAX_TTL_SECONDS;
        for (int alias = 0; alias <= MAX_ALIASES; alias++) {
            List<InetAddress> addresses = new ArrayList<>();
            Name aliasTarget = currentName;
            for (Record record : response.getSection(Section.ANSWER)) {
                if (!record.getName().equals(currentName)) {
                    continue;
                }
                if (record instanceof ARecord a && family == Family.IPV4) {
                    addresses.add(a.getAddress());
                    seconds = Math.min(seconds, a.getTTL());
                } else if (record instanceof AAAARecord aaaa && family == Family.IPV6) {
                    addresses.add(aaaa.getAddress());
                    seconds = Math.min(seconds, aaaa.getTTL());
                } else if (record instanceof CNAMERecord cname) {
                    aliasTarget = cname.getTarget();
                    seconds = Math.min(seconds, cname.getTTL());
                }
            }
            if (!addresses.isEmpty() || aliasTarget.equals(currentName)) {
                return new AddressRecords(addresses, Duration.ofSeconds(seconds));
            }
            currentName = aliasTarget;
        }
        return new AddressRecords(List.of(), Duration.ZERO);
    }
}
