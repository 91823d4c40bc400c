// SPDX-License-Identifier: Apache-2.0
/** Tests of what is shipped: the image in the lab, compose examples, Quadlet units, Kubernetes manifests, releases. */
@NullMarked
package io.culvert.deploy;

import org.jspecify.annotations.NullMarked;
