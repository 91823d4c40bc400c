// SPDX-License-Identifier: Apache-2.0
/** The requirements of every tunnel: a valid file, and a machine that meets them. */
@NullMarked
package io.culvert.requirements;

import org.jspecify.annotations.NullMarked;
