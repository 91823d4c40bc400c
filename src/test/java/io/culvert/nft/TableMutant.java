// SPDX-License-Identifier: Apache-2.0
package io.culvert.nft;

import io.culvert.net.Family;
import java.util.Optional;

/**
 * A table with one change.
 *
 * @param name what is changed, and how
 * @param family of the packets that the change is about; empty for both
 */
public record TableMutant(String name, Optional<Family> family, Table table) {}
