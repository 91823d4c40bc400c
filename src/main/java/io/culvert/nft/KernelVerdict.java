// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

/**
 * A verdict of a rule or of a verdict map's element.
 *
 * @param code {@code NF_DROP}, {@code NF_ACCEPT}, {@code NFT_JUMP} and so on (include/uapi/linux/netfilter/nf_tables.h)
 * @param chain where the evaluation continues after a jump or goto; otherwise empty
 */
public record KernelVerdict(int code, String chain) {}
