/** Netlink's wire format and its sockets; nothing here knows what a request is for. */
@NullMarked
package io.culvert.netlink;

import org.jspecify.annotations.NullMarked;
