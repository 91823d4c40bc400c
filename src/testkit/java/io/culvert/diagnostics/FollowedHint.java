// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

import java.util.Set;

/**
 * A hint that a test follows.
 *
 * @param areas the packages below io.culvert whose hints these may be
 * @param text as it is printed
 */
public record FollowedHint(Set<String> areas, String text) {}
