/** What is made from a network for other programs and for people: files, lists, pictures. Pure. */
@NullMarked
package io.culvert.topology.render;

import org.jspecify.annotations.NullMarked;
