// SPDX-License-Identifier: Apache-2.0
/** The stub resolver, the bootstrap resolver, and the files resolv.conf and hosts. */
@NullMarked
package io.culvert.dns;

import org.jspecify.annotations.NullMarked;
