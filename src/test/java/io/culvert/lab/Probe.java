package io.culvert.lab;

import io.culvert.ip.Family;
import io.culvert.ip.Prefix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
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

/** Questions asked from inside a namespace: empty answers mean that nothing came back in time, or a refusal. */
public final class Probe {

    private static final int PATIENCE_MILLIS =
            (int) Patience.of(Duration.ofSeconds(2)).toMillis();

    private final Namespace from;

    private Probe(Namespace from) {
        this.from = from;
    }

    public static Probe from(Namespace space) {
        return new Probe(space);
    }

    private static String server(Family family) {
        return family == Family.IPV4 ? Lab.SERVER_4 : Lab.SERVER_6;
    }

    /** Who the internet's web server sees when it is asked by TCP. */
    public Optional<String> whoami(Family family) {
        return asked(() -> askWebServer(family, PATIENCE_MILLIS));
    }

    /** The same from the calling thread's namespace. */
    static String askWebServer(Family family, int patienceMillis) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(Prefix.parseAddress(server(family)), 80), patienceMillis);
            socket.setSoTimeout(patienceMillis);
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            return answer.substring(answer.indexOf("\r\n\r\n") + 4).strip();
        }
    }

    /** Who the internet's echo server sees when it is asked by UDP. */
    public Optional<String> echo(Family family) {
        return asked(() -> new String(
                        exchange(
                                Prefix.parseAddress(server(family)),
                                7,
                                "who am i?".getBytes(StandardCharsets.US_ASCII)),
                        StandardCharsets.US_ASCII)
                .strip());
    }

    /** Who the internet's web server sees when it is asked by way of a SOCKS5 proxy. */
    public Optional<String> whoamiBySocks(String proxy, int port, Family family, String... moreOptions) {
        String server = family == Family.IPV4 ? Lab.SERVER_4 : "[" + Lab.SERVER_6 + "]";
        String address = proxy.contains(":") ? "[" + proxy + "]" : proxy;
        List<String> command = new ArrayList<>(List.of(
                "curl",
                "--silent",
                "--max-time",
                Long.toString(Patience.of(Duration.ofSeconds(3)).toSeconds()),
                "--socks5",
                address + ":" + port));
        command.addAll(List.of(moreOptions));
        command.add("http://" + server + "/");
        Outcome outcome = from.attempt(command.toArray(String[]::new));
        return outcome.status() == 0 ? Optional.of(outcome.out().strip()) : Optional.empty();
    }

    /** The addresses that a resolver gives for a name, by UDP. */
    public List<String> resolve(String resolver, String name, Family family) {
        int type = family == Family.IPV4 ? Type.A : Type.AAAA;
        return asked(() -> {
                    Record question = Record.newRecord(Name.fromString(name, Name.root), type, DClass.IN);
                    byte[] answer = exchange(
                            Prefix.parseAddress(resolver),
                            53,
                            Message.newQuery(question).toWire());
                    return new Message(answer)
                            .getSection(Section.ANSWER).stream()
                                    .map(record -> Prefix.text(Prefix.parseAddress(record.rdataToString())))
                                    .toList();
                })
                .orElse(List.of());
    }

    private static byte[] exchange(InetAddress server, int port, byte[] question) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.connect(new InetSocketAddress(server, port));
            socket.send(new DatagramPacket(question, question.length));
            DatagramPacket answer = new DatagramPacket(new byte[4096], 4096);
            socket.receive(answer);
            return Arrays.copyOf(answer.getData(), answer.getLength());
        }
    }

    private <T> Optional<T> asked(Callable<T> question) {
        try {
            return Optional.of(from.call(question));
        } catch (IOException | UncheckedIOException e) {
            return Optional.empty();
        } catch (Exception e) {
            throw new AssertionError("asking from " + from.name(), e);
        }
    }
}
