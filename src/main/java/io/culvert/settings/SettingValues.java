// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The effective values of all settings. An invalid setting has no value here; its problem is reported instead. */
final class SettingValues {

    private final Map<Setting<?>, SettingValue<?>> values = new HashMap<>();
    private final Map<Setting<?>, String> variables = new HashMap<>();

    static SettingValues read(Map<String, String> environment, FileRoot root, Problems problems) {
        SettingValues values = new SettingValues();
        for (Setting<?> setting : Catalogue.all()) {
            values.read(setting, ConfiguredValue.of(setting, environment, root, problems), environment, problems);
        }
        return values;
    }

    /** Returns the value or its default; empty if there is neither, or the given value is invalid. */
    @SuppressWarnings("unchecked") // Only read() adds entries, with a key and a value of the same type.
    <T> Optional<T> find(Setting<T> setting) {
        return Optional.ofNullable((SettingValue<T>) values.get(setting)).flatMap(SettingValue::content);
    }

    /** Returns the value of a valid setting that has a default. */
    <T> T get(Setting<T> setting) {
        return find(setting).orElseThrow(() -> new IllegalStateException(setting.name() + " has no value"));
    }

    /** Returns whether the user set it, to a valid value or not. */
    boolean isSet(Setting<?> setting) {
        return variables.containsKey(setting);
    }

    /** Returns the location for problems with a setting: the name that the user wrote. */
    Location location(Setting<?> setting) {
        return Location.setting(nameInUse(setting));
    }

    String nameInUse(Setting<?> setting) {
        return variables.getOrDefault(setting, setting.name());
    }

    /** Returns all valid values in the order of the catalogue. */
    List<SettingValue<?>> all() {
        List<SettingValue<?>> all = new ArrayList<>();
        for (Setting<?> setting : Catalogue.all()) {
            SettingValue<?> value = values.get(setting);
            if (value != null) {
                all.add(value);
            }
        }
        return all;
    }

    private <T> void read(
            Setting<T> setting, List<ConfiguredValue> givenValues, Map<String, String> environment, Problems problems) {
        Optional<String> variable = ConfiguredValue.firstVariable(setting, environment);
        if (variable.isEmpty()) {
            Optional<T> content = setting.defaultText().map(setting.parser()::parse);
            values.put(setting, new SettingValue<>(setting, content, new Origin.Default()));
            return;
        }
        variables.put(setting, variable.get());
        List<SettingValue<T>> parsed = new ArrayList<>();
        for (ConfiguredValue givenValue : givenValues) {
            try {
                parsed.add(new SettingValue<>(
                        setting, Optional.of(setting.parser().parse(givenValue.text())), givenValue.origin()));
            } catch (MalformedValue malformed) {
                malformed.faults().forEach(fault -> problems.add(givenValue.problem(fault)));
            }
        }
        if (parsed.stream().map(SettingValue::content).distinct().count() > 1) {
            problems.add(Problem.input(
                    location(setting),
                    "differs from " + givenValues.get(1).variable() + ", another name of the same setting",
                    "set only " + setting.name()));
        } else if (!parsed.isEmpty()) {
            values.put(setting, parsed.getFirst());
        }
    }
}
