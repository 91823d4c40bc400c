// SPDX-License-Identifier: Apache-2.0
package io.culvert.mesh;

import io.culvert.plan.ExitNodePlan;

/** No mesh: only programs in this network namespace, and clients of its proxy, use the tunnel. */
public final class NoMesh implements Mesh {

    @Override
    public void attach(ExitNodePlan plan) {}

    @Override
    public String describe() {
        return "none";
    }

    @Override
    public void detach() {}
}
