// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.settings.HttpToken;
import io.culvert.status.ControlRequest;
import io.culvert.status.ControlResult;
import jakarta.json.JsonObject;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What the HTTP control server may ask of the running exit node, from any thread. All but the audit is handled by the exit
 * node's one thread.
 *
 * @param figures throws if there is no response in time
 * @param audit the report of {@code culvert audit}
 * @param control requests what the commands request
 * @param leakTest runs a leak test
 * @param hostNames the node's names in the mesh
 * @param token what a client has to send to change anything; empty if nothing can be changed
 */
public record ExitNodeAccess(
        Supplier<ExitNodeFigures> figures,
        Supplier<JsonObject> audit,
        BiConsumer<ControlRequest, Consumer<ControlResult>> control,
        Supplier<JsonObject> leakTest,
        Supplier<Set<String>> hostNames,
        Supplier<Optional<HttpToken>> token) {}
