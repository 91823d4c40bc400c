// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Host;
import java.util.OptionalInt;

/**
 * An endpoint candidate.
 *
 * @param port 1 to 65535; empty for the port of the endpoint it belongs to
 */
record HostPort(Host host, OptionalInt port) {}
