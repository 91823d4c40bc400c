// SPDX-License-Identifier: Apache-2.0
package io.culvert.routing;

/**
 * The preferences of an exit node's routing rules. They are always explicit, because the kernel would choose one before
 * Tailscale's, and outside 5200 to 5299, which Tailscale uses.
 */
public final class RulePreference {

    public static final int BYPASS = 5100;
    public static final int TUNNEL_PACKETS = 5170;
    public static final int TUNNEL_TO_TAILNET = 5180;
    public static final int PUBLISHED_LOCAL = 5190;
    public static final int PUBLISHED = 5191;
    public static final int STRICT_REVERSE_PATH = 5192;
    public static final int CONNECTED = 5195;
    public static final int SKIP_TAILSCALE_RULES = 5199;
    public static final int MESH_PEERS = 5300;
    public static final int MESH_ONLY = 5301;
    public static final int MESH_TO_SUBNETS = 5305;
    public static final int MESH_TO_TUNNEL = 5310;
    public static final int MESH_UNREACHABLE = 5311;
    public static final int GATEWAY_TO_TUNNEL = 5312;
    public static final int GATEWAY_UNREACHABLE = 5313;
    public static final int GATEWAY_REPLIES = 5314;
    public static final int LAN = 5320;
    public static final int GATEWAYS = 5325;
    public static final int LOCAL_TO_TUNNEL = 5330;
    public static final int LOCAL_UNREACHABLE = 5340;

    private RulePreference() {}
}
