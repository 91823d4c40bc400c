// SPDX-License-Identifier: Apache-2.0
/** A small internet of network namespaces for tests, attacks, benchmarks and the demonstration. */
@NullMarked
package io.culvert.lab;

import org.jspecify.annotations.NullMarked;
