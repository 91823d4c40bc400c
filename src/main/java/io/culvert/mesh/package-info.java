// SPDX-License-Identifier: Apache-2.0
/** The mesh of an exit node: the interfaces through which other devices use it. */
@NullMarked
package io.culvert.mesh;

import org.jspecify.annotations.NullMarked;
