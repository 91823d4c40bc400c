// SPDX-License-Identifier: Apache-2.0
/** A mesh node on this machine, configured from a network file. */
@NullMarked
package io.culvert.meshnode;

import org.jspecify.annotations.NullMarked;
