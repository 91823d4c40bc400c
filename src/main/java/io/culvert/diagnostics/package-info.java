// SPDX-License-Identifier: Apache-2.0
/** Problems that are reported to the user: what, where, and a hint. */
@NullMarked
package io.culvert.diagnostics;

import org.jspecify.annotations.NullMarked;
