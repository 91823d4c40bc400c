package io.culvert.topology;

import io.culvert.ip.Host;
import java.util.OptionalInt;

/**
 * One of several places where a peer may be found.
 *
 * @param port 1 to 65535; empty for that of the endpoint it belongs to
 */
record HostPort(Host host, OptionalInt port) {}
