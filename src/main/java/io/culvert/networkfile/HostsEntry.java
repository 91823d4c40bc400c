// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import io.culvert.net.Prefix;
import java.net.InetAddress;
import java.util.List;

/** A line of a hosts file. */
public record HostsEntry(InetAddress address, List<String> names) {

    public HostsEntry {
        names = List.copyOf(names);
    }

    @Override
    public String toString() {
        return Prefix.text(address) + " " + String.join(" ", names);
    }
}
