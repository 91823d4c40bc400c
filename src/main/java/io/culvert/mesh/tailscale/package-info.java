/** Tailscale as the mesh: its programs run, followed and explained. */
@NullMarked
package io.culvert.mesh.tailscale;

import org.jspecify.annotations.NullMarked;
