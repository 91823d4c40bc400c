// SPDX-License-Identifier: Apache-2.0
/** System calls and kernel interfaces, called through JNA: sockets, namespaces, capabilities, mounts, processes. */
@NullMarked
package io.culvert.linux;

import org.jspecify.annotations.NullMarked;
