package io.culvert.settings;

/** The user of the proxy, which is an account of the container's system: that is whom Dante asks. */
final class AccountName {

    private AccountName() {}

    static String parse(String text) {
        if (!text.matches("[A-Za-z_][A-Za-z0-9_-]{0,31}")) {
            throw new Malformed(
                    "is '" + text + "', which is not a user name",
                    "write up to 32 letters, digits, '_' and '-', with a letter first");
        }
        if (text.equals("root")) {
            throw new Malformed("is 'root', whose password is not for a proxy", "choose another name");
        }
        return text;
    }
}
