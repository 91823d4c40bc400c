// SPDX-License-Identifier: Apache-2.0
/** One event loop for everything that keeps a desired state: events, deadlines, retries, errors logged once. */
@NullMarked
package io.culvert.reconcile;

import org.jspecify.annotations.NullMarked;
