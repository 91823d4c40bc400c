// SPDX-License-Identifier: Apache-2.0
/** The catalogue of settings and their parsing. */
@NullMarked
package io.culvert.settings;

import org.jspecify.annotations.NullMarked;
