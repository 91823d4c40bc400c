// SPDX-License-Identifier: Apache-2.0
package io.culvert;

import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/** YAML as Compose and Kubernetes read it: with merges. */
public final class Yaml {

    private static final LoadSettings SETTINGS =
            LoadSettings.builder().setSchema(new CoreSchema()).build();

    private Yaml() {}

    public static Map<String, Object> read(String document) {
        return map(new Load(SETTINGS).loadFromString(document));
    }

    /** Parses a file of several documents. */
    public static List<Map<String, Object>> readAll(String documents) {
        return StreamSupport.stream(
                        new Load(SETTINGS).loadAllFromString(documents).spliterator(), false)
                .map(Yaml::map)
                .toList();
    }

    @SuppressWarnings("unchecked") // Its keys are text in every YAML file here.
    private static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }
}
