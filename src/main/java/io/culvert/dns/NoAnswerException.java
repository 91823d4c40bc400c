package io.culvert.dns;

/** Nobody answered; asking in another way is no option. */
final class NoAnswerException extends Exception {

    private final int extendedCode;

    /**
     * A failure to be told.
     *
     * @param extendedCode of RFC 8914
     * @param why a sentence for people
     */
    NoAnswerException(int extendedCode, String why) {
        super(why);
        this.extendedCode = extendedCode;
    }

    int extendedCode() {
        return extendedCode;
    }

    /** The sentence for people. */
    String why() {
        return String.valueOf(getMessage());
    }
}
