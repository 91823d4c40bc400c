// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The settings of the port that the provider forwards through the tunnel.
 *
 * @param gateway from which the port is requested; empty for the first IPv4 address of the tunnel's DNS servers
 * @param file that the port is written to; empty if to none
 */
public record ForwardedPortSettings(ForwardedPortSource source, Optional<InetAddress> gateway, Optional<Path> file) {}
