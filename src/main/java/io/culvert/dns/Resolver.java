// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/** Resolves DNS queries. */
@FunctionalInterface
interface Resolver {

    Message resolve(DnsQuery query) throws NoResponseException;

    /** Returns a response without records: {@link Rcode#NXDOMAIN}, or {@link Rcode#NOERROR} for a name without data. */
    static Message empty(int code) {
        Message response = new Message();
        response.getHeader().setRcode(code);
        return response;
    }
}
