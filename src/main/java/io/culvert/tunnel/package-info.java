// SPDX-License-Identifier: Apache-2.0
/** A standalone tunnel from one file, on any machine ({@code culvert tunnel}): up, show and down. */
@NullMarked
package io.culvert.tunnel;

import org.jspecify.annotations.NullMarked;
