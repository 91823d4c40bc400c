// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import jakarta.json.Json;
import jakarta.json.JsonArray;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/**
 * The advertisement of this node as an exit node: the default routes of both families, always together, as clients do
 * not support an exit node of one family, in addition to advertised subnets.
 */
final class ExitNodeAdvertisement {

    private static final String ROUTES = "AdvertiseRoutes";

    private static final Set<String> EXIT =
            Set.of(Prefix.all(Family.IPV4).toString(), Prefix.all(Family.IPV6).toString());

    private ExitNodeAdvertisement() {}

    /** Returns the change of the preferences; empty if they are right already. */
    static Optional<JsonObject> edit(JsonObject preferences, boolean offered) {
        Set<String> current = new LinkedHashSet<>();
        if (preferences.getOrDefault(ROUTES, JsonValue.NULL) instanceof JsonArray routes) {
            routes.getValuesAs(JsonString.class).forEach(route -> current.add(route.getString()));
        }
        Set<String> desiredRoutes = new LinkedHashSet<>(current);
        desiredRoutes.removeAll(EXIT);
        if (offered) {
            EXIT.stream().sorted().forEach(desiredRoutes::add);
        }
        if (desiredRoutes.equals(current)) {
            return Optional.empty();
        }
        JsonArrayBuilder array = Json.createArrayBuilder();
        desiredRoutes.forEach(array::add);
        return Optional.of(Json.createObjectBuilder()
                .add(ROUTES, array)
                .add(ROUTES + "Set", true)
                .build());
    }
}
