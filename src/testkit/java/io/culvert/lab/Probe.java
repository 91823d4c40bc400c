// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import io.culvert.net.Prefix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** Sends requests from inside a namespace; results are empty if no reply came in time or the request was rejected. */
public final class Probe {

    private static final int TIMEOUT_MILLIS =
            (int) ScaledTimeout.of(Duration.ofSeconds(2)).toMillis();

    /** A packet may be lost where the tunnel begins a new session. */
    private static final int ECHO_ATTEMPTS = 3;

    private final LabNamespace from;

    private Probe(LabNamespace from) {
        this.from = from;
    }

    public static Probe from(LabNamespace namespace) {
        return new Probe(namespace);
    }

    private static String server(Family family) {
        return family == Family.IPV4 ? Lab.SERVER_IPV4 : Lab.SERVER_IPV6;
    }

    /** Returns the client address that the internet's web server sees (TCP). */
    public Optional<String> whoami(Family family) {
        return callInNamespace(() -> askWebServer(family, TIMEOUT_MILLIS));
    }

    /** Returns the same from the calling thread's namespace. */
    static String askWebServer(Family family, int timeoutMillis) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(Prefix.parseAddress(server(family)), 80), timeoutMillis);
            socket.setSoTimeout(timeoutMillis);
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            return answer.substring(answer.indexOf("\r\n\r\n") + 4).strip();
        }
    }

    /** Returns the client address that the internet's echo server sees (UDP). */
    public Optional<String> echo(Family family) {
        return callInNamespace(() -> new String(
                        exchange(
                                Prefix.parseAddress(server(family)),
                                7,
                                "who am i?".getBytes(StandardCharsets.US_ASCII),
                                ECHO_ATTEMPTS),
                        StandardCharsets.US_ASCII)
                .strip());
    }

    /** Returns the client address that the internet's web server sees through a SOCKS5 proxy. */
    public Optional<String> whoamiBySocks(String proxy, int port, Family family, String... moreOptions) {
        return whoamiByProxy("socks5", proxy, port, family, moreOptions);
    }

    /** Returns the client address that the internet's web server sees through an HTTP proxy. */
    public Optional<String> whoamiByHttpProxy(String proxy, int port, Family family, String... moreOptions) {
        return whoamiByProxy("http", proxy, port, family, moreOptions);
    }

    private Optional<String> whoamiByProxy(
            String scheme, String proxy, int port, Family family, String... moreOptions) {
        String server = family == Family.IPV4 ? Lab.SERVER_IPV4 : "[" + Lab.SERVER_IPV6 + "]";
        String address = proxy.contains(":") ? "[" + proxy + "]" : proxy;
        List<String> command = new ArrayList<>(List.of(
                "curl",
                "--silent",
                "--max-time",
                Long.toString(ScaledTimeout.of(Duration.ofSeconds(3)).toSeconds()),
                "--fail",
                "--proxy",
                scheme + "://" + address + ":" + port));
        command.addAll(List.of(moreOptions));
        command.add("http://" + server + "/");
        CommandResult result = from.attempt(command.toArray(String[]::new));
        return result.status() == 0 ? Optional.of(result.out().strip()) : Optional.empty();
    }

    /** Returns the addresses that a resolver returns for a name, over UDP. */
    public List<String> resolve(String resolver, String name, Family family) {
        int type = family == Family.IPV4 ? Type.A : Type.AAAA;
        return callInNamespace(() -> {
                    Record query = Record.newRecord(Name.fromString(name, Name.root), type, DClass.IN);
                    byte[] answer = exchange(
                            Prefix.parseAddress(resolver),
                            53,
                            Message.newQuery(query).toWire(),
                            1);
                    return new Message(answer)
                            .getSection(Section.ANSWER).stream()
                                    .map(record -> Prefix.text(Prefix.parseAddress(record.rdataToString())))
                                    .toList();
                })
                .orElse(List.of());
    }

    /** @param attempts in which to send the query until an answer comes, in the same time altogether */
    private static byte[] exchange(InetAddress server, int port, byte[] query, int attempts) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(TIMEOUT_MILLIS / attempts);
            socket.connect(new InetSocketAddress(server, port));
            DatagramPacket answer = new DatagramPacket(new byte[4096], 4096);
            for (int attempt = 1; ; attempt++) {
                socket.send(new DatagramPacket(query, query.length));
                try {
                    socket.receive(answer);
                    return Arrays.copyOf(answer.getData(), answer.getLength());
                } catch (SocketTimeoutException e) {
                    if (attempt == attempts) {
                        throw e;
                    }
                }
            }
        }
    }

    private <T> Optional<T> callInNamespace(Callable<T> query) {
        try {
            return Optional.of(from.call(query));
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty();
        } catch (Exception e) {
            throw new AssertionError("sending a request from " + from.name(), e);
        }
    }
}
