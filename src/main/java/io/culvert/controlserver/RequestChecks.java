// SPDX-License-Identifier: Apache-2.0
package io.culvert.controlserver;

import io.culvert.net.Prefix;
import io.culvert.settings.HttpToken;
import io.culvert.timing.Threads;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * Decides which requests are handled: none that a page of another origin has sent, or that reached the server by a name of
 * another's (DNS rebinding), and changes only with the token.
 */
final class RequestChecks {

    /** How many groups of clients are slowed independently. */
    private static final int GROUPS = 64;

    private static final String BEARER = "Bearer ";

    /** Gluetun's header for a key, which takes the same token. Pages cannot send it to another origin without its consent. */
    private static final String KEY_HEADER = "x-api-key";

    private final ExitNodeAccess exitNode;
    private final Duration wrongTokenDelay;
    private final Threads threads;
    private final List<ReentrantLock> tokenChecks =
            Stream.generate(ReentrantLock::new).limit(GROUPS).toList();

    RequestChecks(ExitNodeAccess exitNode, HttpLimits limits, Threads threads) {
        this.exitNode = exitNode;
        this.wrongTokenDelay = limits.wrongTokenDelay();
        this.threads = threads;
    }

    /** Returns the refusal of a request, whatever it requests. */
    Optional<ApiResponse> refusal(ApiRequest request) {
        if (request.local().isPresent()
                && !isOwnHost(request.header("host").orElse(""), request.local().get())) {
            return Optional.of(ApiResponse.error(
                    421,
                    "the Host of the request is not this server",
                    "use the address on which it listens, localhost, or the node's name in the mesh"));
        }
        boolean isNavigation = request.header("sec-fetch-mode").equals(Optional.of("navigate"));
        boolean isOtherSite = request.header("sec-fetch-site")
                .filter(site -> !site.equals("same-origin") && !site.equals("none"))
                .isPresent();
        boolean isOtherOrigin = request.header("origin")
                .filter(origin ->
                        !origin.equals("http://" + request.header("host").orElse("")))
                .isPresent();
        if (isOtherOrigin || (isOtherSite && !isNavigation)) {
            return Optional.of(ApiResponse.error(403, "requests of pages of other origins are refused", ""));
        }
        if (!request.body().isEmpty()
                && request.header(KEY_HEADER).isEmpty()
                && !request.header("content-type")
                        .orElse("")
                        .split(";", 2)[0]
                        .strip()
                        .equalsIgnoreCase("application/json")) {
            return Optional.of(
                    ApiResponse.error(415, "the body is not JSON", "send the header 'Content-Type: application/json'"));
        }
        return Optional.empty();
    }

    private boolean isOwnHost(String host, InetAddress local) {
        String name = host.endsWith("]") ? host : host.replaceFirst(":[0-9]{1,5}$", "");
        String bare = name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1) : name;
        if (name.equalsIgnoreCase("localhost")) {
            return local.isLoopbackAddress();
        }
        try {
            return Prefix.parseAddress(bare).equals(local);
        } catch (IllegalArgumentException _) {
            return exitNode.hostNames().get().stream().anyMatch(own -> own.equalsIgnoreCase(bare));
        }
    }

    /** Returns whether the request has the right token. */
    boolean hasToken(ApiRequest request) throws InterruptedException {
        return exitNode.token().get().isPresent()
                && given(request).isPresent()
                && tokenRefusal(request).isEmpty();
    }

    /**
     * Returns the refusal of a change. Clients of one address are checked one after another, and a wrong token delays all of
     * them, so that guessing many at once is no faster.
     */
    Optional<ApiResponse> tokenRefusal(ApiRequest request) throws InterruptedException {
        Optional<HttpToken> token = exitNode.token().get();
        if (token.isEmpty()) {
            return Optional.of(ApiResponse.error(
                    403,
                    "changes are refused, because no token is set",
                    "set CULVERT_HTTP_TOKEN_FILE to the path of a file that contains one"));
        }
        Optional<String> given = given(request);
        if (given.isEmpty()) {
            return Optional.of(unauthorized("a change requires the token"));
        }
        ReentrantLock check = tokenChecks.get(Math.floorMod(request.client().hashCode(), GROUPS));
        if (!check.tryLock(2 * wrongTokenDelay.toMillis(), TimeUnit.MILLISECONDS)) {
            return Optional.of(ApiResponse.error(429, "too many requests with a token", "try again later"));
        }
        try {
            if (token.get().matches(given.get())) {
                return Optional.empty();
            }
            threads.pause(wrongTokenDelay);
            return Optional.of(unauthorized("the token is wrong"));
        } finally {
            check.unlock();
        }
    }

    /** Returns the token that the request has, right or wrong. */
    private static Optional<String> given(ApiRequest request) {
        return request.header("authorization")
                .filter(header -> header.startsWith(BEARER))
                .map(header -> header.substring(BEARER.length()).strip())
                .or(() -> request.header(KEY_HEADER).map(String::strip));
    }

    private static ApiResponse unauthorized(String message) {
        return ApiResponse.error(401, message, "send the header 'Authorization: Bearer' with the token")
                .with("WWW-Authenticate", "Bearer");
    }
}
