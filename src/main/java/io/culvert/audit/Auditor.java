// SPDX-License-Identifier: Apache-2.0
package io.culvert.audit;

import io.culvert.nft.KernelRuleset;
import io.culvert.rtnl.RoutingState;
import java.util.List;

/** Compares what may leave or come in with a promise: {@link Audit#violations}, or a memory of its results. */
public interface Auditor {

    /** Returns what may leave or come in that the promise does not list. */
    List<Violation> violations(RoutingState routing, KernelRuleset ruleset, Promise promise);
}
