// SPDX-License-Identifier: Apache-2.0
package io.culvert.net;

import java.util.regex.Pattern;

/** The rule for names of interfaces that Culvert creates or lets another program create. */
public final class InterfaceName {

    /** {@code IFNAMSIZ} without the terminating zero (include/uapi/linux/if.h). */
    public static final int MAX_LENGTH = 15;

    /** The names that wg-quick accepts, without those that the kernel refuses ({@code dev_valid_name}). */
    private static final Pattern VALID = Pattern.compile("(?!\\.{1,2}$)[a-zA-Z0-9_=+.-]{1," + MAX_LENGTH + "}");

    private InterfaceName() {}

    /** Returns whether a text is a valid name; it is then safe as the name of a file, too. */
    public static boolean isValid(String text) {
        return VALID.matcher(text).matches();
    }
}
