/** The nftables ruleset as values, its JSON and text forms, and libnftables. */
@NullMarked
package io.culvert.nft;

import org.jspecify.annotations.NullMarked;
