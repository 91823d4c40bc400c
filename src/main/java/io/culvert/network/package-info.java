/** How a desired state of links, addresses, routes and rules becomes true, and is undone. */
@NullMarked
package io.culvert.network;

import org.jspecify.annotations.NullMarked;
