// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

/**
 * The options of a lab.
 *
 * @param uplink the name of the node's uplink interface
 * @param ipv6 whether the node has IPv6
 * @param strictReversePath whether the node's kernel filters by the strict reverse path (rp_filter 1)
 * @param providers how many providers there are
 */
public record LabOptions(String uplink, boolean ipv6, boolean strictReversePath, int providers) {

    /** {@code eth0}, both families, one provider. */
    public static final LabOptions DEFAULTS = new LabOptions("eth0", true, false, 1);

    public LabOptions uplink(String name) {
        return new LabOptions(name, ipv6, strictReversePath, providers);
    }

    public LabOptions withoutIpv6() {
        return new LabOptions(uplink, false, strictReversePath, providers);
    }

    public LabOptions withStrictReversePath() {
        return new LabOptions(uplink, ipv6, true, providers);
    }

    public LabOptions providers(int count) {
        return new LabOptions(uplink, ipv6, strictReversePath, count);
    }
}
