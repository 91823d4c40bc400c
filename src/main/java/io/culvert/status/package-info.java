// SPDX-License-Identifier: Apache-2.0
/** The status of a running exit node: report, socket and text. */
@NullMarked
package io.culvert.status;

import org.jspecify.annotations.NullMarked;
