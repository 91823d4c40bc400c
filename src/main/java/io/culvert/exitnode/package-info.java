// SPDX-License-Identifier: Apache-2.0
/** The exit node ({@code culvert up}), from start to stop. */
@NullMarked
package io.culvert.exitnode;

import org.jspecify.annotations.NullMarked;
