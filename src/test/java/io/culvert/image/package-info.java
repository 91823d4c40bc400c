/** What is shipped, as it is shipped: the image in containers, the compose examples, the units and manifests. */
@NullMarked
package io.culvert.image;

import org.jspecify.annotations.NullMarked;
