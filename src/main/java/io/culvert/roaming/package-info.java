// SPDX-License-Identifier: Apache-2.0
/** Endpoint selection for peers with several endpoint candidates. */
@NullMarked
package io.culvert.roaming;

import org.jspecify.annotations.NullMarked;
