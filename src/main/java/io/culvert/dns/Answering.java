package io.culvert.dns;

import org.xbill.DNS.Message;

/** Resolves a received query. */
@FunctionalInterface
interface Answering {

    /** @param id the id of the received query, which identifies a query of Culvert that was forwarded back to it */
    Message answer(Question question, int id) throws NoAnswerException;
}
