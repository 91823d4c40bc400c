package io.culvert.dns;

import io.culvert.ip.Prefix;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;

/**
 * The machine's resolv.conf, which names our stub while we run. It is written in place, because container runtimes mount
 * it, and a mount cannot be renamed over. The original stays inside, in comments: so it survives SIGKILL, and whoever
 * looks sees it.
 */
public final class ResolvConfFile {

    /** The first line of what we write; who starts after a SIGKILL knows its own by it. */
    private static final String MARKER =
            "# Written by culvert: names are asked through the tunnel. What follows '#|' is the original.";

    private static final String ORIGINAL = "#|";

    /** The same, of a last line that has no line feed. */
    private static final String UNENDED = "#>";

    /** The servers of one of several tunnels. */
    private static final String CLAIM = "#+";

    private final Path path;

    /** The file, normally {@code /etc/resolv.conf}; it need not exist. */
    public ResolvConfFile(Path path) {
        this.path = path;
    }

    /** What the runtime wrote, even when ours stands there now; empty when there is no file. */
    public String original() throws IOException {
        return original(read());
    }

    /** Whether what stands there is ours. */
    public boolean isOurs() throws IOException {
        return isOurs(read());
    }

    /**
     * Names these servers instead of the original's, and keeps the original's search list and options.
     *
     * @param search domains to try before the original's
     * @return a warning where the file cannot be written
     */
    public Optional<Problem> pointTo(List<InetAddress> nameservers, List<String> search) {
        try {
            String now = read();
            String then = render(original(now), nameservers, search);
            if (!then.equals(now)) {
                write(then);
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(
                    Problem.warning(
                            Place.file(path),
                            "cannot be rewritten to name our resolver: " + reason(e),
                            "mount it writable; until then only the guard's redirection of port 53 leads names into the tunnel"));
        }
    }

    /**
     * Names the servers of one of several tunnels, the last one that claimed; those of the others are kept for when it is
     * released.
     *
     * @param owner the tunnel's interface
     * @return a warning where the file cannot be written
     */
    public Optional<Problem> claim(String owner, List<InetAddress> nameservers, List<String> search) {
        return change(claims -> claims.put(owner, new Claim(nameservers, search)));
    }

    /**
     * Takes a tunnel's servers away; with the last of them the original comes back, byte for byte, unless somebody else has
     * written the file since.
     *
     * @return a warning where the file cannot be written
     */
    public Optional<Problem> release(String owner) {
        return change(claims -> claims.remove(owner));
    }

    /** What a tunnel wants to stand in the file. */
    private record Claim(List<InetAddress> nameservers, List<String> search) {

        /** On one line of a comment: no interface, address or domain has a space. */
        String line(String owner) {
            List<String> words = new ArrayList<>();
            words.add(owner);
            nameservers.forEach(server -> words.add(Prefix.text(server)));
            search.forEach(domain -> words.add("." + domain));
            return CLAIM + String.join(" ", words) + "\n";
        }

        static Claim of(List<String> words) {
            return new Claim(
                    words.stream()
                            .filter(word -> !word.startsWith("."))
                            .map(Prefix::parseAddress)
                            .toList(),
                    words.stream()
                            .filter(word -> word.startsWith("."))
                            .map(word -> word.substring(1))
                            .toList());
        }
    }

    private Optional<Problem> change(Consumer<SequencedMap<String, Claim>> how) {
        try {
            String now = read();
            SequencedMap<String, Claim> claims = claims(now);
            how.accept(claims);
            String then = claims.isEmpty() ? original(now) : render(original(now), claims);
            if (!then.equals(now)) {
                write(then);
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(Problem.warning(
                    Place.file(path),
                    "cannot be rewritten to name the tunnel's resolver: " + reason(e),
                    "write the servers of DNS= there yourself"));
        }
    }

    private static String render(String original, SequencedMap<String, Claim> claims) {
        Claim last = claims.lastEntry().getValue();
        StringBuilder text = new StringBuilder(render(original, last.nameservers(), last.search()));
        claims.forEach((owner, claim) -> text.append(claim.line(owner)));
        return text.toString();
    }

    private static SequencedMap<String, Claim> claims(String text) {
        SequencedMap<String, Claim> claims = new LinkedHashMap<>();
        if (isOurs(text)) {
            text.lines().filter(line -> line.startsWith(CLAIM)).forEach(line -> {
                List<String> words = List.of(line.substring(CLAIM.length()).split(" ", -1));
                claims.put(words.getFirst(), Claim.of(words.subList(1, words.size())));
            });
        }
        return claims;
    }

    /**
     * Puts the original back, byte for byte, unless somebody else has written the file since.
     *
     * @return a warning where the file cannot be written
     */
    public Optional<Problem> restore() {
        try {
            String now = read();
            if (isOurs(now)) {
                write(original(now));
            }
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(Problem.warning(
                    Place.file(path), "cannot be restored: " + reason(e), "restart the container, or write it anew"));
        }
    }

    static String render(String original, List<InetAddress> nameservers, List<String> search) {
        StringBuilder text = new StringBuilder(MARKER).append('\n');
        nameservers.forEach(
                server -> text.append("nameserver ").append(Prefix.text(server)).append('\n'));
        List<String> domains = new ArrayList<>(search);
        domains.addAll(ResolvConf.parse(original).search());
        if (!domains.isEmpty()) {
            text.append("search ")
                    .append(String.join(" ", domains.stream().distinct().toList()))
                    .append('\n');
        }
        original.lines()
                .filter(line -> line.startsWith("options"))
                .forEach(line -> text.append(line).append('\n'));
        int start = 0;
        for (int end = original.indexOf('\n'); end >= 0; end = original.indexOf('\n', start)) {
            text.append(ORIGINAL).append(original, start, end + 1);
            start = end + 1;
        }
        if (start < original.length()) {
            text.append(UNENDED).append(original, start, original.length()).append('\n');
        }
        return text.toString();
    }

    static String original(String text) {
        if (!isOurs(text)) {
            return text;
        }
        StringBuilder original = new StringBuilder();
        for (String line : text.split("\n", -1)) {
            if (line.startsWith(ORIGINAL)) {
                original.append(line.substring(ORIGINAL.length())).append('\n');
            } else if (line.startsWith(UNENDED)) {
                original.append(line.substring(UNENDED.length()));
            }
        }
        return original.toString();
    }

    private static boolean isOurs(String text) {
        return text.startsWith(MARKER + "\n");
    }

    /** Every byte is a character in this charset, so that what is no text comes back as it was. */
    private String read() throws IOException {
        try {
            return Files.readString(path, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException _) {
            return "";
        }
    }

    private void write(String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
        // Overwritten and cut, not emptied and filled: a reader, or a SIGKILL, never meets an empty file.
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
            file.truncate(bytes.limit());
        }
    }

    private static String reason(IOException e) {
        return e instanceof AccessDeniedException ? "permission denied" : String.valueOf(e.getMessage());
    }
}
