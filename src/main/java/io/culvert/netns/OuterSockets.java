// SPDX-License-Identifier: Apache-2.0
package io.culvert.netns;

import io.culvert.linux.InheritedSocket;
import io.culvert.net.Prefix;
import io.culvert.wireguard.device.DeviceConfig;
import io.culvert.wireguard.device.DeviceConfig.PeerConfig;
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
 * @param directory the directory of control sockets outside the user namespace
 * @param mtu of the tunnel, in bytes
 */
public record OuterSockets(Path directory, int mtu, List<ServerSocket> serverSockets) {

    /**
     * The socket for a server.
     *
     * @param peer the index of the peer in the file, from 0
     */
    record ServerSocket(int peer, InheritedSocket socket, InetSocketAddress server) {}

    public OuterSockets {
        serverSockets = List.copyOf(serverSockets);
    }

    /** Parses the output of {@link #toString}. */
    public static OuterSockets parse(String text) {
        JsonObject object;
        try (var reader = Json.createReader(new StringReader(text))) {
            object = reader.readObject();
        }
        return new OuterSockets(
                Path.of(object.getString("directory")),
                object.getInt("mtu"),
                object.getJsonArray("ways").getValuesAs(JsonObject.class).stream()
                        .map(serverSocket -> new ServerSocket(
                                serverSocket.getInt("peer"),
                                new InheritedSocket(serverSocket.getInt("socket")),
                                new InetSocketAddress(
                                        Prefix.parseAddress(serverSocket.getString("address")),
                                        serverSocket.getInt("port"))))
                        .toList());
    }

    /** Returns the text form, which is passed as one argument of a command line. */
    @Override
    public String toString() {
        JsonArrayBuilder array = Json.createArrayBuilder();
        serverSockets.forEach(serverSocket -> array.add(Json.createObjectBuilder()
                .add("peer", serverSocket.peer())
                .add("socket", serverSocket.socket().number())
                .add("address", Prefix.text(serverSocket.server().getAddress()))
                .add("port", serverSocket.server().getPort())));
        return Json.createObjectBuilder()
                .add("directory", directory.toString())
                .add("mtu", mtu)
                .add("ways", array)
                .build()
                .toString();
    }

    /** Returns the device configuration with the relays as endpoints. */
    DeviceConfig withRelays(DeviceConfig config, List<InetSocketAddress> relays) {
        List<PeerConfig> peers = new ArrayList<>(config.peers());
        for (int i = 0; i < serverSockets.size(); i++) {
            PeerConfig peer = peers.get(serverSockets.get(i).peer());
            peers.set(
                    serverSockets.get(i).peer(),
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
