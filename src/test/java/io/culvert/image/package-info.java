/** The container image that was built, run by rootless Podman. */
@NullMarked
package io.culvert.image;

import org.jspecify.annotations.NullMarked;
