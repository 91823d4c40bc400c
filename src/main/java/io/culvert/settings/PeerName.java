package io.culvert.settings;

/** The name of a peer in a network file, which is a host's name as well. */
final class PeerName {

    private PeerName() {}

    static String parse(String text) {
        String name = text.strip();
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9.-]{0,199}")) {
            throw new Malformed(
                    "is '" + text + "', which is not the name of a peer",
                    "write it as in the network file: letters, digits, hyphens and dots");
        }
        return name;
    }
}
