// SPDX-License-Identifier: Apache-2.0
/** WireGuard keys and a parser of wg-quick files; no side effects except reading the file. */
@NullMarked
package io.culvert.wireguard.config;

import org.jspecify.annotations.NullMarked;
