// SPDX-License-Identifier: Apache-2.0
/** The network file, which describes a whole mesh, and the configuration of each node that follows from it. Pure. */
@NullMarked
package io.culvert.networkfile;

import org.jspecify.annotations.NullMarked;
