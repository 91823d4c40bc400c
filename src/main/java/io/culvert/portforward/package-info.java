// SPDX-License-Identifier: Apache-2.0
/**
 * The port that the provider forwards through the tunnel: requested from its gateway by NAT-PMP or PCP, renewed in time,
 * and written to a file.
 */
@NullMarked
package io.culvert.portforward;

import org.jspecify.annotations.NullMarked;
