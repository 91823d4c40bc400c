// SPDX-License-Identifier: Apache-2.0
/** Compares what a network namespace lets out, by the kernel's own state, with what the settings allow. */
@NullMarked
package io.culvert.audit;

import org.jspecify.annotations.NullMarked;
