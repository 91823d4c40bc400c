// SPDX-License-Identifier: Apache-2.0
/** Plans the complete desired state from settings, files and machine, as pure functions. */
@NullMarked
package io.culvert.plan;

import org.jspecify.annotations.NullMarked;
