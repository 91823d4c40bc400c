// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.linux.Container;

/** Parses the setting that says whether Culvert runs in a container. */
final class ContainerChoice {

    private ContainerChoice() {}

    static Container.Choice parse(String text) {
        return Container.Choice.parse(text)
                .orElseThrow(() -> new MalformedValue(
                        "'" + text + "' is not auto, true or false; true is assumed until it is corrected",
                        "use auto, true or false"));
    }
}
