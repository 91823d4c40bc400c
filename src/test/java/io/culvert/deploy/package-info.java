/** What is shipped, as its users deploy it: the image in the lab's network, compose examples, units, manifests, releases. */
@NullMarked
package io.culvert.deploy;

import org.jspecify.annotations.NullMarked;
