package io.culvert.topology;

import java.util.List;

/** A group of peers, with endpoints that its members use for each other. */
record Group(Written<String> name, List<EndpointRow> endpoints) {

    Group {
        endpoints = List.copyOf(endpoints);
    }
}
