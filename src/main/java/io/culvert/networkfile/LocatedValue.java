// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

/**
 * A value of the network file with its location.
 *
 * @param line from 1
 * @param column from 1, in characters
 */
record LocatedValue<T>(T value, int line, int column) {}
