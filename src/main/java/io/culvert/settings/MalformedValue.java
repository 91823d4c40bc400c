// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.List;
import java.util.stream.Collectors;

/** Thrown for an invalid value of a setting, with every fault in it and a hint for each. Contains no secret. */
final class MalformedValue extends IllegalArgumentException {

    /**
     * @param message what is wrong, as it follows the name of the setting and a colon
     * @param hint the hint: what to do about it
     */
    record Fault(String message, String hint) {}

    private final transient List<Fault> faults;

    MalformedValue(String message, String hint) {
        this(List.of(new Fault(message, hint)));
    }

    MalformedValue(List<Fault> faults) {
        super(faults.stream().map(Fault::message).collect(Collectors.joining("; ")));
        this.faults = List.copyOf(faults);
    }

    List<Fault> faults() {
        return faults;
    }
}
