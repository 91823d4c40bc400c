package io.culvert.topology.render;

/**
 * A file for a node.
 *
 * @param name without directory
 */
public record RenderedFile(String name, String text) {}
