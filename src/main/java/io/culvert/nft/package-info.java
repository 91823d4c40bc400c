// SPDX-License-Identifier: Apache-2.0
/** The nftables ruleset as values, in its JSON and text forms, and libnftables. */
@NullMarked
package io.culvert.nft;

import org.jspecify.annotations.NullMarked;
