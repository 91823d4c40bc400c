// SPDX-License-Identifier: Apache-2.0
/** Tests of the container image, run by rootless Podman. */
@NullMarked
package io.culvert.image;

import org.jspecify.annotations.NullMarked;
