package io.culvert.confinement;

import io.culvert.ip.Prefix;
import io.culvert.linux.NetworkNamespace;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import java.nio.file.Path;
import java.util.List;

/**
 * A handle to a namespace, by which a program can enter it.
 *
 * @param answer of the namespace daemon
 */
record Entrance(NetworkNamespace space, NameFiles names, JsonObject answer) {

    static Entrance of(JsonObject answer) {
        return new Entrance(
                new NetworkNamespace(Path.of(answer.getString("namespace"))),
                new NameFiles(
                        strings(answer, "resolvers").stream()
                                .map(Prefix::parseAddress)
                                .toList(),
                        strings(answer, "search")),
                answer);
    }

    /** Returns whether it is entered through a user namespace. */
    boolean rootless() {
        return answer.containsKey("user");
    }

    private static List<String> strings(JsonObject answer, String key) {
        return answer.getJsonArray(key).getValuesAs(JsonString.class).stream()
                .map(JsonString::getString)
                .toList();
    }
}
