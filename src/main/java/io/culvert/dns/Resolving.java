package io.culvert.dns;

import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;

/** Finds the answer to a question. */
@FunctionalInterface
interface Resolving {

    Message answer(Question question) throws NoAnswerException;

    /** An answer of our own without records: {@link Rcode#NXDOMAIN}, or {@link Rcode#NOERROR} for a name without data. */
    static Message empty(int code) {
        Message answer = new Message();
        answer.getHeader().setRcode(code);
        return answer;
    }
}
