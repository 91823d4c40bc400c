package io.culvert.settings;

import io.culvert.linux.Container;

/** The setting that says whether this is a container. */
final class ContainerChoice {

    private ContainerChoice() {}

    static Container.Choice parse(String text) {
        return Container.Choice.parse(text)
                .orElseThrow(() -> new Malformed(
                        "is '" + text + "', which is neither yes, no nor auto; it counts as true until it is right",
                        "write auto, true or false"));
    }
}
