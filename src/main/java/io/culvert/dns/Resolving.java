package io.culvert.dns;

import org.xbill.DNS.Message;

/** Finds the answer to a question. */
@FunctionalInterface
interface Resolving {

    Message answer(Question question) throws NoAnswerException;
}
