// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.linux.NetworkNamespace;
import io.culvert.net.Prefix;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import java.nio.file.Path;
import java.util.List;

/**
 * A handle to a namespace, by which a program can enter it.
 *
 * @param response of the namespace daemon
 */
record NamespaceHandle(NetworkNamespace namespace, ResolverFiles resolverFiles, JsonObject response) {

    static NamespaceHandle of(JsonObject response) {
        return new NamespaceHandle(
                new NetworkNamespace(Path.of(response.getString("namespace"))),
                new ResolverFiles(
                        strings(response, "resolvers").stream()
                                .map(Prefix::parseAddress)
                                .toList(),
                        strings(response, "search")),
                response);
    }

    /** Returns whether it is entered through a user namespace. */
    boolean rootless() {
        return response.containsKey("user");
    }

    private static List<String> strings(JsonObject response, String key) {
        return response.getJsonArray(key).getValuesAs(JsonString.class).stream()
                .map(JsonString::getString)
                .toList();
    }
}
