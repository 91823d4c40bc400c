// SPDX-License-Identifier: Apache-2.0
/** Imports of other formats into network files. */
@NullMarked
package io.culvert.networkfile.imports;

import org.jspecify.annotations.NullMarked;
