// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.List;
import java.util.stream.Collectors;

/** Thrown for an invalid value of a setting, with every fault in it and a hint for each. Contains no secret. */
final class MalformedValue extends IllegalArgumentException {

    /**
     * @param what what is wrong, as it follows the name of the setting and a colon
     * @param hint the hint: what to do about it
     */
    record Fault(String what, String hint) {}

    private final transient List<Fault> faults;

    MalformedValue(String what, String hint) {
        this(List.of(new Fault(what, hint)));
    }

    MalformedValue(List<Fault> faults) {
        super(faults.stream().map(Fault::what).collect(Collectors.joining("; ")));
        this.faults = List.copyOf(faults);
    }

    List<Fault> faults() {
        return faults;
    }
}
