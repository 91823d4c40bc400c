package io.culvert.settings;

import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.problem.Problems;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What each setting has come to. One that was given, but wrongly, has no value here: its problem is told instead. */
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

    /** The value or its default; empty where there is neither, or what was given is wrong. */
    @SuppressWarnings("unchecked") // Only read() puts, and there both are of one type.
    <T> Optional<T> find(Setting<T> setting) {
        return Optional.ofNullable((Value<T>) values.get(setting)).flatMap(Value::content);
    }

    /** Of a setting that is right and has a default. */
    <T> T get(Setting<T> setting) {
        return find(setting).orElseThrow(() -> new IllegalStateException(setting.name() + " has no value"));
    }

    /** Whether the user has given it, rightly or not. */
    boolean isGiven(Setting<?> setting) {
        return variables.containsKey(setting);
    }

    /** By the name the user wrote. */
    Place place(Setting<?> setting) {
        return Place.setting(written(setting));
    }

    String written(Setting<?> setting) {
        return variables.getOrDefault(setting, setting.name());
    }

    /** In the catalogue's order, without those that are wrong. */
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
                    "is set, and so is " + given.get(1).variable() + ", another name for it, to something else",
                    "keep only " + setting.name()));
        } else if (!parsed.isEmpty()) {
            values.put(setting, parsed.getFirst());
        }
    }
}
