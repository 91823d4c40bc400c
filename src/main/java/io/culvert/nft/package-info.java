// SPDX-License-Identifier: Apache-2.0
/** The nftables ruleset as values, in the syntax of nft, and as the messages that the kernel's nf_tables takes and lists. */
@NullMarked
package io.culvert.nft;

import org.jspecify.annotations.NullMarked;
