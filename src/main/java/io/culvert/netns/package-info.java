// SPDX-License-Identifier: Apache-2.0
/**
 * Confined programs, whose only network is a tunnel: their namespaces, the daemons that manage these, and how to enter.
 */
@NullMarked
package io.culvert.netns;

import org.jspecify.annotations.NullMarked;
