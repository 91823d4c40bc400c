// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.net.Prefix;
import io.culvert.timing.Threads;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpVersion;
import org.apache.hc.core5.http.MessageConstraintException;
import org.apache.hc.core5.http.RequestHeaderFieldsTooLargeException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.io.ContentLengthInputStream;
import org.apache.hc.core5.http.impl.io.DefaultHttpRequestParser;
import org.apache.hc.core5.http.impl.io.SessionInputBufferImpl;

/** A connection of a client: reads its requests one after another, and has a deadline for whatever it waits for. */
final class HttpConnection implements AutoCloseable {

    private static final int BUFFER_BYTES = 2048;
    private static final int MAX_UNREAD_BYTES = 1 << 18;

    private final SocketChannel channel;
    private final ControlApi api;
    private final HttpLimits limits;
    private final Threads threads;
    private final Optional<InetAddress> local;
    private final String client;
    private volatile long idleSince;
    private volatile long deadline;
    private volatile boolean busy;
    private boolean hasBegun;

    HttpConnection(SocketChannel channel, ControlApi api, HttpLimits limits, Threads threads) throws IOException {
        this.channel = channel;
        this.api = api;
        this.limits = limits;
        this.threads = threads;
        this.local = channel.getLocalAddress() instanceof InetSocketAddress socket
                ? Optional.of(socket.getAddress())
                : Optional.empty();
        this.client = channel.getRemoteAddress() instanceof InetSocketAddress socket
                ? Prefix.text(socket.getAddress())
                : "unix";
        this.idleSince = threads.nanoTime();
        setDeadline(limits.requestTimeout());
    }

    /** Returns what limits are for: the client's address. */
    String client() {
        return client;
    }

    /** Returns whether a complete request is being responded to. */
    boolean isBusy() {
        return busy;
    }

    /** Returns when the last request ended, or the connection began, as {@link System#nanoTime}. */
    long idleSince() {
        return idleSince;
    }

    boolean isOverdue() {
        return threads.nanoTime() - deadline > 0;
    }

    private void setDeadline(Duration time) {
        deadline = threads.nanoTime() + time.toNanos();
    }

    /** Serves until the client disconnects, or is disconnected. */
    void serve() {
        try (channel) {
            Http1Config config = Http1Config.custom()
                    .setMaxLineLength(limits.lineBytes())
                    .setMaxHeaderCount(limits.headers())
                    .setMaxEmptyLineCount(2)
                    .build();
            SessionInputBufferImpl buffer = new SessionInputBufferImpl(BUFFER_BYTES, limits.lineBytes());
            InputStream input = new ChannelInput();
            DefaultHttpRequestParser parser = new DefaultHttpRequestParser(config);
            hasBegun = true;
            boolean goesOn = true;
            while (goesOn) {
                goesOn = serveOne(parser, buffer, input);
                idleSince = threads.nanoTime();
                busy = false;
                hasBegun = buffer.hasBufferedData();
                setDeadline(hasBegun ? limits.requestTimeout() : limits.idleTimeout());
            }
        } catch (IOException | UncheckedIOException _) {
            // The client has disconnected, or was disconnected by a deadline.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean serveOne(DefaultHttpRequestParser parser, SessionInputBufferImpl buffer, InputStream input)
            throws IOException, InterruptedException {
        ApiRequest request;
        boolean keeps;
        boolean isHead;
        try {
            ClassicHttpRequest parsed = parser.parse(buffer, input);
            if (parsed == null) {
                return false;
            }
            if (parsed.containsHeader("Transfer-Encoding")) {
                return refuse(ApiResponse.error(411, "the body has no Content-Length", "send it without chunks"));
            }
            if (parsed.getScheme() != null || parsed.getAuthority() != null) {
                // The absolute form is for proxies, and would have another host than the header.
                return refuse(ApiResponse.error(400, "the request is malformed", ""));
            }
            long length = contentLength(parsed);
            if (length > limits.bodyBytes()) {
                return refuse(ApiResponse.error(413, "the body is too large", ""));
            }
            String body = new String(
                    new ContentLengthInputStream(buffer, input, length).readAllBytes(), StandardCharsets.UTF_8);
            keeps = keeps(parsed);
            isHead = parsed.getMethod().equals("HEAD");
            request = new ApiRequest(
                    local,
                    client,
                    isHead ? "GET" : parsed.getMethod(),
                    path(parsed.getRequestUri()),
                    headers(parsed),
                    body);
        } catch (MessageConstraintException | RequestHeaderFieldsTooLargeException _) {
            return refuse(ApiResponse.error(431, "the header is too large", ""));
        } catch (HttpException | IllegalArgumentException _) {
            return refuse(ApiResponse.error(400, "the request is malformed", ""));
        }
        busy = true;
        // A response may take long, as it waits for a server; only writing it has a deadline.
        deadline = threads.nanoTime() + Duration.ofDays(1).toNanos();
        ApiResponse response = api.respond(request);
        write(response.head(keeps), isHead ? "" : response.body());
        if (response.events().isPresent() && !isHead) {
            response.events().get().accept(new EventWriter(text -> write(text, "")));
            return false;
        }
        return keeps && response.events().isEmpty();
    }

    private static long contentLength(ClassicHttpRequest request) throws HttpException {
        Header[] lengths = request.getHeaders("Content-Length");
        if (lengths.length == 0) {
            return 0;
        }
        if (lengths.length > 1 || !lengths[0].getValue().matches("[0-9]{1,9}")) {
            throw new HttpException("Content-Length");
        }
        return Long.parseLong(lengths[0].getValue());
    }

    private static boolean keeps(ClassicHttpRequest request) {
        Header connection = request.getFirstHeader("Connection");
        return HttpVersion.HTTP_1_1.equals(request.getVersion())
                && (connection == null
                        || !connection.getValue().toLowerCase(Locale.ROOT).contains("close"));
    }

    private static Map<String, String> headers(ClassicHttpRequest request) throws HttpException {
        Map<String, String> headers = new HashMap<>();
        for (Header header : request.getHeaders()) {
            String name = header.getName().toLowerCase(Locale.ROOT);
            String value = header.getValue() == null ? "" : header.getValue();
            // Of these, one program might check another one than this.
            if (headers.put(name, value) != null
                    && (name.equals("host") || name.equals("origin") || name.equals("authorization"))) {
                throw new HttpException(name);
            }
        }
        return headers;
    }

    private static String path(String target) {
        String path = URI.create(target).getRawPath();
        if (!target.startsWith("/") || path == null) {
            throw new IllegalArgumentException(target);
        }
        return path;
    }

    private boolean refuse(ApiResponse response) throws IOException {
        write(response.head(false), response.body());
        // A connection that is closed with unread data is reset, and the client may lose the response.
        channel.shutdownOutput();
        setDeadline(limits.requestTimeout());
        ByteBuffer rest = ByteBuffer.allocate(BUFFER_BYTES);
        for (int read = 0, count = 0; count >= 0 && read < MAX_UNREAD_BYTES; read += count) {
            count = channel.read(rest.clear());
        }
        return false;
    }

    private void write(String head, String body) throws IOException {
        ByteBuffer buffer = StandardCharsets.UTF_8.encode(head + body);
        setDeadline(limits.writeTimeout());
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        deadline = threads.nanoTime() + Duration.ofDays(1).toNanos();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // It is closed already.
        }
    }

    /** Reads from the client, and begins the deadline of a request with its first byte. */
    private final class ChannelInput extends InputStream {

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int count = channel.read(ByteBuffer.wrap(target, offset, length));
            if (count > 0 && !hasBegun) {
                hasBegun = true;
                setDeadline(limits.requestTimeout());
            }
            return count;
        }
    }
}
