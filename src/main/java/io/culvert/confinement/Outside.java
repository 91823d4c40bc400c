package io.culvert.confinement;

import io.culvert.device.DeviceConfig;
import io.culvert.device.DeviceConfig.PeerConfig;
import io.culvert.ip.Prefix;
import io.culvert.linux.InheritedSocket;
import jakarta.json.Json;
import jakarta.json.JsonArrayBuilder;
import jakarta.json.JsonObject;
import java.io.StringReader;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a keeper without root has of the machine's network: a socket for each server, opened before it went into a user
 * namespace, from which there is no way back.
 *
 * @param directory of control sockets, as it was outside
 * @param mtu of the tunnel, in bytes
 */
public record Outside(Path directory, int mtu, List<Way> ways) {

    /**
     * The way to a server.
     *
     * @param peer which of the file's peers, from 0
     */
    record Way(int peer, InheritedSocket socket, InetSocketAddress server) {}

    public Outside {
        ways = List.copyOf(ways);
    }

    /** As {@link #toString} has written it. */
    public static Outside parse(String text) {
        JsonObject object;
        try (var reader = Json.createReader(new StringReader(text))) {
            object = reader.readObject();
        }
        return new Outside(
                Path.of(object.getString("directory")),
                object.getInt("mtu"),
                object.getJsonArray("ways").getValuesAs(JsonObject.class).stream()
                        .map(way -> new Way(
                                way.getInt("peer"),
                                new InheritedSocket(way.getInt("socket")),
                                new InetSocketAddress(
                                        Prefix.parseAddress(way.getString("address")), way.getInt("port"))))
                        .toList());
    }

    /** One word of a command line. */
    @Override
    public String toString() {
        JsonArrayBuilder array = Json.createArrayBuilder();
        ways.forEach(way -> array.add(Json.createObjectBuilder()
                .add("peer", way.peer())
                .add("socket", way.socket().number())
                .add("address", Prefix.text(way.server().getAddress()))
                .add("port", way.server().getPort())));
        return Json.createObjectBuilder()
                .add("directory", directory.toString())
                .add("mtu", mtu)
                .add("ways", array)
                .build()
                .toString();
    }

    /** The device as its program is to see the servers: each behind a relay in its own namespace. */
    DeviceConfig relayed(DeviceConfig config, List<InetSocketAddress> relays) {
        List<PeerConfig> peers = new ArrayList<>(config.peers());
        for (int i = 0; i < ways.size(); i++) {
            PeerConfig peer = peers.get(ways.get(i).peer());
            peers.set(
                    ways.get(i).peer(),
                    new PeerConfig(
                            peer.publicKey(),
                            peer.presharedKey(),
                            Optional.of(relays.get(i)),
                            peer.keepaliveSeconds(),
                            peer.allowedIps()));
        }
        return new DeviceConfig(config.privateKey(), config.listenPort(), 0, peers);
    }
}
