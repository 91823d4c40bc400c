package io.culvert.plan;

/**
 * The preferences of an exit node's routing rules. They are always explicit, because the kernel would choose one before
 * Tailscale's, and outside 5200 to 5299, which Tailscale uses.
 */
final class Preference {

    static final int HOLEPUNCH = 5100;
    static final int TUNNEL_ITSELF = 5170;
    static final int TUNNEL_TO_TAILNET = 5180;
    static final int PUBLISHED_NEAR = 5190;
    static final int PUBLISHED = 5191;
    static final int STRICT_REVERSE_PATH = 5192;
    static final int CONNECTED = 5195;
    static final int PAST_TAILSCALE = 5199;
    static final int MESH_PEERS = 5300;
    static final int MESH_ONLY = 5301;
    static final int MESH_TO_SUBNETS = 5305;
    static final int MESH_TO_TUNNEL = 5310;
    static final int MESH_UNREACHABLE = 5311;
    static final int LAN = 5320;
    static final int GATEWAYS = 5325;
    static final int LOCAL_TO_TUNNEL = 5330;
    static final int LOCAL_UNREACHABLE = 5340;

    private Preference() {}
}
