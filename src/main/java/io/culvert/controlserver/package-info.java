// SPDX-License-Identifier: Apache-2.0
/** The HTTP control server of a running exit node: its listeners, its limits and its API. */
@NullMarked
package io.culvert.controlserver;

import org.jspecify.annotations.NullMarked;
