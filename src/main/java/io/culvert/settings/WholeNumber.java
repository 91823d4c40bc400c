package io.culvert.settings;

/** A decimal number within bounds, both included. */
record WholeNumber(String name, int least, int most) implements Parser<Integer> {

    /** A port of TCP or UDP. */
    static final WholeNumber PORT = new WholeNumber("port", 1, 65535);

    @Override
    public Integer parse(String text) {
        if (text.matches("[0-9]{1,9}")) {
            int number = Integer.parseInt(text);
            if (number >= least && number <= most) {
                return number;
            }
        }
        throw new Malformed(
                "is '" + text + "', which is not a " + name, "write a number from " + least + " to " + most);
    }
}
