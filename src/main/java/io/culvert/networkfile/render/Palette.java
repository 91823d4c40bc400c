// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

import java.util.List;

/** Colours that can be distinguished with colour blindness: Okabe and Ito, "Color Universal Design", 2008. */
final class Palette {

    private static final List<String> COLOURS =
            List.of("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#6B6B6B");

    private Palette() {}

    static String of(int number) {
        return COLOURS.get(number % COLOURS.size());
    }
}
