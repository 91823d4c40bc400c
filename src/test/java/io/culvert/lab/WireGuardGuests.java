package io.culvert.lab;

import java.util.Map;

/** A client with plain WireGuard, and a neighbour with nothing. */
record WireGuardGuests(Lab lab) implements Guests {

    @Override
    public String title() {
        return "with a second WireGuard interface for clients";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of(
                "CULVERT_MESH",
                "wireguard",
                "CULVERT_MESH_CONFIG",
                lab.node().file("mesh0.conf", lab.client().nodeFile()),
                // Private ranges may by default; the lab's are documentation's.
                "CULVERT_SOCKS_ALLOW",
                "192.0.2.0/26");
    }

    @Override
    public String allowed(Observer observer) {
        observer.allowMesh();
        return "the mesh's";
    }

    @Override
    public void exit() {
        lab.client().useExitNode();
    }

    @Override
    public String resolver() {
        return lab.provider().inner4();
    }

    @Override
    public String proxy() {
        return Lab.NODE_4;
    }
}
