// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

/** The states of the life cycle in which the leak matrix is measured, in the order in which a lab passes through them. */
public enum LeakState {
    NO_CULVERT("positive control: no Culvert", Kind.CONTROL),
    BEFORE_SETTINGS("started, settings not yet read", Kind.BLOCKED),
    REFUSED_START("refused start", Kind.BLOCKED),
    WITHOUT_TUNNEL("started, the server does not answer", Kind.BLOCKED),
    CONNECTED("connected", Kind.CONNECTED),
    BOTH_LAYERS_GONE("positive control: connected, both layers removed", Kind.CONTROL),
    LINK_GONE("tunnel link deleted", Kind.FROZEN),
    LINK_DOWN("tunnel link set down", Kind.FROZEN),
    TABLE_FLUSHED("tunnel routing table flushed", Kind.FROZEN),
    NFTABLES_GONE("nftables tables deleted", Kind.ROUTING_ONLY),
    RULES_GONE("routing rules deleted", Kind.FROZEN),
    LINK_AND_NFTABLES_GONE("tunnel link and nftables tables deleted", Kind.ROUTING_ONLY),
    TABLE_AND_NFTABLES_GONE("tunnel routing table flushed, nftables tables deleted", Kind.ROUTING_ONLY),
    LINK_AND_RULES_GONE("tunnel link and routing rules deleted", Kind.FROZEN),
    TABLE_AND_RULES_GONE("tunnel routing table flushed, routing rules deleted", Kind.FROZEN),
    MESH_LINK_GONE("mesh link deleted", Kind.FROZEN),
    SERVER_SILENT("the server stops answering", Kind.BLOCKED),
    SERVER_ROAMED("the server answers from another address and port", Kind.TRANSITION),
    TUNNEL_PROGRAM_KILLED("program of the tunnel killed", Kind.TRANSITION),
    MESH_PROGRAM_KILLED("program of the mesh killed", Kind.TRANSITION),
    PROXY_KILLED("proxy killed", Kind.TRANSITION),
    UPLINK_REPLACED("uplink with another address and gateway", Kind.TRANSITION),
    UPLINK_DOWN_AND_UP("uplink down and up", Kind.TRANSITION),
    SECOND_UPLINK("second uplink added, with a preferred default route", Kind.CONNECTED),
    CULVERT_KILLED("Culvert killed", Kind.BLOCKED),
    RESTARTED("started again after the kill", Kind.TRANSITION),
    STOPPING("stopping", Kind.TRANSITION),
    STOPPED("stopped in a container", Kind.BLOCKED),
    CONFIGURATION_REPLACED("started with another provider's file", Kind.TRANSITION),
    PROVIDER_WITHOUT_IPV6("connected to a provider without IPv6", Kind.CONNECTED),
    MACHINE_CONNECTED("on a machine: connected", Kind.CONNECTED),
    MACHINE_KILLED("on a machine: Culvert killed", Kind.BLOCKED);

    /** What is measured in a state. */
    public enum Kind {
        /** Without a kill switch: every cell has to leak, or the observer would not see it elsewhere. */
        CONTROL,
        /** Traffic uses the tunnel. */
        CONNECTED,
        /** Nothing passes. */
        BLOCKED,
        /** Culvert is suspended, so that it restores nothing. */
        FROZEN,
        /** The same, and routing rules alone block: without what they cannot block. */
        ROUTING_ONLY,
        /** Volleys are sent throughout a change, until traffic uses the tunnel again or the change is over. */
        TRANSITION
    }

    private final String title;
    private final Kind kind;

    LeakState(String title, Kind kind) {
        this.title = title;
        this.kind = kind;
    }

    public String title() {
        return title;
    }

    public Kind kind() {
        return kind;
    }
}
