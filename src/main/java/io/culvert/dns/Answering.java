package io.culvert.dns;

import org.xbill.DNS.Message;

/** Finds the answer to a query that was received. */
@FunctionalInterface
interface Answering {

    /** @param id of the received query, by which a query of our own is recognized that comes back to us */
    Message answer(Question question, int id) throws NoAnswerException;
}
