// SPDX-License-Identifier: Apache-2.0
/** The leak test of a running exit node: packets that the kill switch must block, and what became of them. */
@NullMarked
package io.culvert.leaktest;

import org.jspecify.annotations.NullMarked;
