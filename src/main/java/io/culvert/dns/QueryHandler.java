// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import org.xbill.DNS.Message;

/** Resolves a received query. */
@FunctionalInterface
interface QueryHandler {

    /** @param id the id of the received query, which identifies a query of Culvert that was forwarded back to it */
    Message resolve(DnsQuery query, int id) throws NoResponseException;
}
