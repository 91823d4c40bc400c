package io.culvert.topology;

import java.util.List;

/** A name that peers bear, and endpoints that its bearers see of each other. */
record Group(Written<String> name, List<EndpointRow> endpoints) {

    Group {
        endpoints = List.copyOf(endpoints);
    }
}
