/** The DNS stub, the bootstrap resolver and resolv.conf. */
@NullMarked
package io.culvert.dns;

import org.jspecify.annotations.NullMarked;
