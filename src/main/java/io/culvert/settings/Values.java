package io.culvert.settings;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The effective values of all settings. An invalid setting has no value here; its problem is reported instead. */
final class Values {

    private final Map<Setting<?>, Value<?>> values = new HashMap<>();
    private final Map<Setting<?>, String> variables = new HashMap<>();

    static Values read(Map<String, String> environment, FileRoot root, Problems problems) {
        Values values = new Values();
        for (Setting<?> setting : Catalogue.all()) {
            values.read(setting, Given.of(setting, environment, root, problems), environment, problems);
        }
        return values;
    }

    /** Returns the value or its default; empty if there is neither, or the given value is invalid. */
    @SuppressWarnings("unchecked") // Only read() adds entries, with a key and a value of the same type.
    <T> Optional<T> find(Setting<T> setting) {
        return Optional.ofNullable((Value<T>) values.get(setting)).flatMap(Value::content);
    }

    /** Returns the value of a valid setting that has a default. */
    <T> T get(Setting<T> setting) {
        return find(setting).orElseThrow(() -> new IllegalStateException(setting.name() + " has no value"));
    }

    /** Returns whether the user set it, to a valid value or not. */
    boolean isGiven(Setting<?> setting) {
        return variables.containsKey(setting);
    }

    /** Returns the location for problems with a setting: the name that the user wrote. */
    Place place(Setting<?> setting) {
        return Place.setting(written(setting));
    }

    String written(Setting<?> setting) {
        return variables.getOrDefault(setting, setting.name());
    }

    /** Returns all valid values in the order of the catalogue. */
    List<Value<?>> all() {
        List<Value<?>> all = new ArrayList<>();
        for (Setting<?> setting : Catalogue.all()) {
            Value<?> value = values.get(setting);
            if (value != null) {
                all.add(value);
            }
        }
        return all;
    }

    private <T> void read(Setting<T> setting, List<Given> given, Map<String, String> environment, Problems problems) {
        Optional<String> variable = Given.variable(setting, environment);
        if (variable.isEmpty()) {
            Optional<T> content = setting.defaultText().map(setting.parser()::parse);
            values.put(setting, new Value<>(setting, content, new Origin.Default()));
            return;
        }
        variables.put(setting, variable.get());
        List<Value<T>> parsed = new ArrayList<>();
        for (Given one : given) {
            try {
                parsed.add(new Value<>(setting, Optional.of(setting.parser().parse(one.text())), one.origin()));
            } catch (Malformed malformed) {
                malformed.faults().forEach(fault -> problems.add(one.problem(fault)));
            }
        }
        if (parsed.stream().map(Value::content).distinct().count() > 1) {
            problems.add(Problem.input(
                    place(setting),
                    "differs from " + given.get(1).variable() + ", another name of the same setting",
                    "set only " + setting.name()));
        } else if (!parsed.isEmpty()) {
            values.put(setting, parsed.getFirst());
        }
    }
}
