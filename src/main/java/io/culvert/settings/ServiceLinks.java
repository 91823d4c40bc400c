// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.diagnostics.Problems;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Filters out Kubernetes' service links: variables in every pod for each service of its namespace, named after the
 * service. Those of a service called {@code culvert} or {@code culvert-socks} look like settings but are not.
 */
final class ServiceLinks {

    /** Kubernetes documentation, "Service: Environment variables"; the form is that of Docker's old links. */
    private static final Pattern NAME = Pattern.compile(
            "(CULVERT|TSWG)(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)");

    private static final Pattern LINK = Pattern.compile("(tcp|udp|sctp)://.*");

    private ServiceLinks() {}

    /** Returns the environment without the service links. */
    static Map<String, String> without(Map<String, String> environment, Set<String> settings, Problems problems) {
        Map<String, String> rest = new HashMap<>(environment);
        if (!environment.containsKey("KUBERNETES_SERVICE_HOST")) {
            return rest;
        }
        environment.forEach((name, text) -> {
            if (!NAME.matcher(name).matches()) {
                return;
            }
            if (!settings.contains(name)) {
                rest.remove(name);
            } else if (LINK.matcher(text).matches()) {
                rest.remove(name);
                problems.add(new Problem(
                        Problem.Kind.NOTE,
                        Location.setting(name),
                        "ignored, because it is the link that Kubernetes sets for a service of this name",
                        "set enableServiceLinks: false in the pod to remove such links"));
            }
        });
        return rest;
    }
}
