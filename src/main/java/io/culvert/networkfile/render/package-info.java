// SPDX-License-Identifier: Apache-2.0
/** Renders a network in other formats: configuration files, JSON and images. Pure. */
@NullMarked
package io.culvert.networkfile.render;

import org.jspecify.annotations.NullMarked;
