// SPDX-License-Identifier: Apache-2.0
/** The runtime of a command: environment, log, access to the kernel, event sources, lock and cleanup. */
@NullMarked
package io.culvert.runtime;

import org.jspecify.annotations.NullMarked;
