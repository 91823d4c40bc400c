// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.List;

/** A group of peers, with endpoints that its members use for each other. */
record Group(LocatedValue<String> name, List<EndpointEntry> endpoints) {

    Group {
        endpoints = List.copyOf(endpoints);
    }
}
