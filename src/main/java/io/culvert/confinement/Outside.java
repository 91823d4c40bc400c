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
 * What a daemon without root can use of the machine's network: a socket for each server, opened before it entered a
 * user namespace, which it cannot leave.
 *
 * @param directory of control sockets, as outside
 * @param mtu of the tunnel, in bytes
 */
public record Outside(Path directory, int mtu, List<Way> ways) {

    /**
     * The socket for a server.
     *
     * @param peer the index of the peer in the file, from 0
     */
    record Way(int peer, InheritedSocket socket, InetSocketAddress server) {}

    public Outside {
        ways = List.copyOf(ways);
    }

    /** Parses the output of {@link #toString}. */
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

    /** Returns it as one argument of a command line. */
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

    /** Returns the device configuration with the relays as endpoints. */
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
