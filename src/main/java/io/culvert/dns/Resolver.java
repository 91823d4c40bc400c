// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/** Resolves DNS queries. */
@FunctionalInterface
interface Resolver {

    Message resolve(DnsQuery query) throws NoAnswerException;

    /** Returns a response without records: {@link Rcode#NXDOMAIN}, or {@link Rcode#NOERROR} for a name without data. */
    static Message empty(int code) {
        Message answer = new Message();
        answer.getHeader().setRcode(code);
        return answer;
    }
}
