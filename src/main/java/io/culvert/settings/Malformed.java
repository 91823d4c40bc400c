package io.culvert.settings;

import java.util.List;
import java.util.stream.Collectors;

/** A text that a setting cannot take: every fault in it, each with its cure. Holds no secret. */
final class Malformed extends IllegalArgumentException {

    /**
     * @param what ends a sentence that began with the setting's name
     * @param cure what to write instead
     */
    record Fault(String what, String cure) {}

    private final transient List<Fault> faults;

    Malformed(String what, String cure) {
        this(List.of(new Fault(what, cure)));
    }

    Malformed(List<Fault> faults) {
        super(faults.stream().map(Fault::what).collect(Collectors.joining("; ")));
        this.faults = List.copyOf(faults);
    }

    List<Fault> faults() {
        return faults;
    }
}
