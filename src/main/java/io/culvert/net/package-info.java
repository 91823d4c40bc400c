// SPDX-License-Identifier: Apache-2.0
/** IP addresses, prefixes and endpoints of both families. */
@NullMarked
package io.culvert.net;

import org.jspecify.annotations.NullMarked;
