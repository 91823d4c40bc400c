package io.culvert.lab;

/**
 * What differs from lab to lab.
 *
 * @param uplink the name of the node's interface to the world
 * @param ipv6 whether the node has IPv6
 * @param strictReversePath whether the node's kernel filters by the strict reverse path (rp_filter 1)
 * @param providers how many providers there are
 */
public record Shape(String uplink, boolean ipv6, boolean strictReversePath, int providers) {

    /** The usual: {@code eth0}, both families, one provider. */
    public static final Shape USUAL = new Shape("eth0", true, false, 1);

    public Shape uplink(String name) {
        return new Shape(name, ipv6, strictReversePath, providers);
    }

    public Shape withoutIpv6() {
        return new Shape(uplink, false, strictReversePath, providers);
    }

    public Shape withStrictReversePath() {
        return new Shape(uplink, ipv6, true, providers);
    }

    public Shape providers(int count) {
        return new Shape(uplink, ipv6, strictReversePath, count);
    }
}
