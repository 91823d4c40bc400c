// SPDX-License-Identifier: Apache-2.0
/** Child processes: starting, supervising and reaping them. */
@NullMarked
package io.culvert.process;

import org.jspecify.annotations.NullMarked;
