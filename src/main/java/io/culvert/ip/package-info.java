/** IP addresses, prefixes and endpoints of both families. */
@NullMarked
package io.culvert.ip;

import org.jspecify.annotations.NullMarked;
