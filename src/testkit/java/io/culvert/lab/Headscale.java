// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import jakarta.json.Json;
import jakarta.json.JsonObject;
import jakarta.json.JsonString;
import java.io.StringReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A Headscale on the internet: control server, DERP relay and STUN server of one tailnet, whose names are below
 * {@code tailnet.example}. Every node that advertises an exit node is approved.
 */
public final class Headscale implements AutoCloseable {

    /** Its name, which the internet's resolver resolves. */
    public static final String NAME = "headscale.example";

    public static final String ADDRESS_IPV4 = "198.51.100.20";
    public static final String ADDRESS_IPV6 = "2001:db8:1::20";

    /** The TCP port of control server and relay. */
    public static final int PORT = 8443;

    /**
     * The TCP port that responds with an error about TLS: clients whose connection is refused there contact Tailscale's
     * servers.
     */
    static final int PLAIN_PORT = 80;

    /** The value of {@code --login-server}: HTTPS, since clients reconnect to a plain HTTP server only by HTTPS. */
    public static final String URL = "https://" + NAME + ":" + PORT;

    public static final int STUN_PORT = 3478;

    private static final Duration START_TIMEOUT = Duration.ofSeconds(20);

    /** Nodes that lost the connection retry with increasing delays. */
    private static final Duration RECONNECT_TIMEOUT = Duration.ofSeconds(60);

    /** The only user, who owns all devices. */
    private static final String USER = "everybody";

    /** The ID of the first user. */
    private static final String USER_ID = "1";

    /**
     * A node of the tailnet.
     *
     * @param name its MagicDNS name, below {@code tailnet.example}
     */
    public record Member(long id, String name, List<String> addresses, boolean online, List<String> approvedRoutes) {}

    private final LabNamespace namespace;
    private final SandboxFiles files = new SandboxFiles(Lab.RESOLVER_IPV4);
    private @Nullable RunningProgram server;

    Headscale(LabNamespace namespace) {
        this.namespace = namespace;
        namespace.ip(
                "address replace " + ADDRESS_IPV4 + "/32 dev lo",
                "address replace " + ADDRESS_IPV6 + "/128 dev lo nodad");
        namespace.nft("""
                table inet headscale {
                  chain plain {
                    type nat hook prerouting priority dstnat;
                    ip daddr %s tcp dport %d redirect to :%d
                    ip6 daddr %s tcp dport %d redirect to :%d
                  }
                }
                """.formatted(ADDRESS_IPV4, PLAIN_PORT, PORT, ADDRESS_IPV6, PLAIN_PORT, PORT));
        useTrustedCertificate();
        files.write("policy.json", """
                {
                  "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
                  "autoApprovers": {"exitNode": ["%s@"]}
                }
                """.formatted(USER));
        // The tuning: changes are sent at once; by default they are batched for up to 800 ms.
        files.write("headscale.yaml", """
                server_url: %1$s
                listen_addr: "[::]:%2$d"
                tls_cert_path: %3$s/certificate.pem
                tls_key_path: %3$s/key.pem
                grpc_listen_addr: 127.0.0.1:50443
                metrics_listen_addr: ""
                unix_socket: %3$s/run/headscale.sock
                noise: {private_key_path: %3$s/lib/noise.key}
                database: {type: sqlite, sqlite: {path: %3$s/lib/db.sqlite}}
                prefixes: {v4: 100.64.0.0/10, v6: "fd7a:115c:a1e0::/48"}
                derp:
                  server:
                    enabled: true
                    region_id: 999
                    region_code: lab
                    region_name: lab
                    stun_listen_addr: "[::]:%4$d"
                    private_key_path: %3$s/lib/derp.key
                    ipv4: %5$s
                    ipv6: "%6$s"
                  urls: []
                  auto_update_enabled: false
                disable_check_updates: true
                policy: {path: %3$s/policy.json}
                dns:
                  magic_dns: true
                  base_domain: tailnet.example
                  nameservers: {global: ["%7$s"]}
                tuning: {batch_change_delay: 10ms, node_store_batch_timeout: 10ms, node_store_batch_size: 1}
                """.formatted(
                        URL, PORT, files.root(), STUN_PORT, ADDRESS_IPV4, ADDRESS_IPV6, Lab.RESOLVER_IPV4));
        try {
            start();
            run("users", "create", USER);
        } catch (AssertionError | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Kills it. */
    public void stop() {
        if (server != null) {
            server.close();
            server = null;
        }
    }

    /** Starts it, with the state of its tailnet. */
    public void start() {
        server = namespace.start(GoProgram.path("headscale"), "--config", config(), "serve");
        server.awaitLine("listening and serving HTTP on", START_TIMEOUT);
    }

    /** Starts it with a certificate that is valid from tomorrow, as seen by a client whose clock is a day behind. */
    public void startWithFutureCertificate() {
        useCertificate(Certificate.validFromTomorrow(NAME));
        start();
    }

    /** Makes it use the certificate that every sandbox trusts, from its next start. */
    public void useTrustedCertificate() {
        useCertificate(Certificate.HEADSCALE);
    }

    private void useCertificate(Certificate certificate) {
        files.write("certificate.pem", certificate.certificate());
        files.write("key.pem", certificate.key());
    }

    /** Registers a node by the login URL that it logs, as an administrator does. */
    public void register(String loginUrl) {
        run("auth", "register", "--user", USER, "--auth-id", loginUrl.substring(loginUrl.lastIndexOf('/') + 1));
    }

    /** Waits until a node of this name has connected since the last start. */
    public void awaitConnected(String name) {
        Objects.requireNonNull(server, "Headscale is not running")
                .awaitLine("INF node connected .*node\\.name=" + name + " ", RECONNECT_TIMEOUT);
    }

    /** Returns its log since the last start. */
    public String log() {
        return server == null ? "" : server.output();
    }

    /** Returns a new pre-auth key that any number of devices may use. */
    public String key() {
        return newKey("--reusable").getString("key");
    }

    /** Returns a new pre-auth key that one device may use. */
    public String singleUseKey() {
        return newKey().getString("key");
    }

    /** Returns a new pre-auth key for ephemeral devices. */
    public String ephemeralKey() {
        return newKey("--reusable", "--ephemeral").getString("key");
    }

    /** Returns a pre-auth key that has expired. */
    public String expiredKey() {
        JsonObject key = newKey("--reusable");
        run("preauthkeys", "expire", "--id", Integer.toString(key.getInt("id")));
        return key.getString("key");
    }

    private JsonObject newKey(String... options) {
        List<String> command = new ArrayList<>(List.of("preauthkeys", "create", "--user", USER_ID));
        command.addAll(List.of(options));
        return Json.createReader(new StringReader(run(command.toArray(String[]::new))))
                .readObject();
    }

    /** Returns the nodes of the tailnet. */
    public List<Member> members() {
        String list = run("nodes", "list");
        if (list.strip().equals("null")) {
            return List.of();
        }
        return Json.createReader(new StringReader(list)).readArray().getValuesAs(JsonObject.class).stream()
                .map(node -> new Member(
                        node.getInt("id"),
                        node.getString("given_name"),
                        strings(node, "ip_addresses"),
                        node.getBoolean("online", false),
                        strings(node, "approved_routes")))
                .toList();
    }

    private static List<String> strings(JsonObject node, String name) {
        return node.containsKey(name) ? node.getJsonArray(name).getValuesAs(JsonString::getString) : List.of();
    }

    /** Returns the node of this name. */
    public Member member(String name) {
        return members().stream()
                .filter(member -> member.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no node " + name + " in " + members()));
    }

    /** Expires the key of a node, which then has to log in again. */
    public void expire(String name) {
        run("nodes", "expire", "--identifier", Long.toString(member(name).id()));
    }

    /** Deletes a node from the tailnet. */
    public void delete(String name) {
        run(
                "nodes",
                "delete",
                "--force",
                "--identifier",
                Long.toString(member(name).id()));
    }

    /** Approves exactly these routes of a node; {@code 0.0.0.0/0} and {@code ::/0} make it an exit node. */
    public void approve(String name, String... routes) {
        run(
                "nodes",
                "approve-routes",
                "--identifier",
                Long.toString(member(name).id()),
                "--routes",
                String.join(",", routes));
    }

    /**
     * Returns the settings of a containerboot that joins with this name, in a new mutable map. Its state and its socket
     * are in the node's files.
     */
    public Map<String, String> settings(String name, String key) {
        Map<String, String> settings = new TreeMap<>();
        settings.put("TS_NO_LOGS_NO_SUPPORT", "true");
        settings.put("TS_AUTHKEY", key);
        settings.put("TS_HOSTNAME", name);
        settings.put("TS_EXTRA_ARGS", "--login-server=" + URL);
        settings.put("TS_STATE_DIR", "/var/lib/tailscale");
        settings.put("TS_SOCKET", LabNode.TAILSCALE_SOCKET);
        return settings;
    }

    private String run(String... arguments) {
        List<String> command =
                new ArrayList<>(List.of(GoProgram.path("headscale"), "--config", config(), "--output", "json"));
        command.addAll(List.of(arguments));
        return CommandResult.of(command).outputOrFail();
    }

    private String config() {
        return files.root().resolve("headscale.yaml").toString();
    }

    @Override
    public void close() {
        stop();
        files.close();
    }
}
