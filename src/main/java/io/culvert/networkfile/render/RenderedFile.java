// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

/**
 * A file that was rendered for a node.
 *
 * @param name without directory
 */
public record RenderedFile(String name, String text) {}
