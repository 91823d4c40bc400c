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
 * A Headscale on the internet: control server, only relay and STUN server of one tailnet, whose names are below
 * {@code tailnet.example}. Whoever offers to be an exit node may be one.
 */
public final class Headscale implements AutoCloseable {

    /** A name that the internet's resolver knows. */
    public static final String NAME = "headscale.example";

    public static final String ADDRESS_4 = "198.51.100.20";
    public static final String ADDRESS_6 = "2001:db8:1::20";

    /** Where it serves by TCP: control and relay. */
    public static final int PORT = 8443;

    /** Where it answers by TCP that it is to be asked by TLS: clients that are refused there ask Tailscale's own servers. */
    static final int PLAIN_PORT = 80;

    /** What {@code --login-server} takes. By TLS, since clients return to a plain server only by HTTPS. */
    public static final String URL = "https://" + NAME + ":" + PORT;

    public static final int STUN_PORT = 3478;

    private static final Duration START = Duration.ofSeconds(20);

    /** Nodes that lost their server wait longer with each attempt to find it again. */
    private static final Duration RETURN = Duration.ofSeconds(60);

    /** The policy's only user: everybody's devices are his. */
    private static final String USER = "everybody";

    /** The first user's number. */
    private static final String USER_ID = "1";

    /**
     * A node of the tailnet.
     *
     * @param name as MagicDNS knows it, below {@code tailnet.example}
     */
    public record Member(long id, String name, List<String> addresses, boolean online, List<String> approvedRoutes) {}

    private final Namespace space;
    private final Disk disk = new Disk(Lab.RESOLVER_4);
    private @Nullable Child server;

    Headscale(Namespace space) {
        this.space = space;
        space.ip("address replace " + ADDRESS_4 + "/32 dev lo", "address replace " + ADDRESS_6 + "/128 dev lo nodad");
        space.nft("""
                table inet headscale {
                  chain plain {
                    type nat hook prerouting priority dstnat;
                    ip daddr %s tcp dport %d redirect to :%d
                    ip6 daddr %s tcp dport %d redirect to :%d
                  }
                }
                """.formatted(ADDRESS_4, PLAIN_PORT, PORT, ADDRESS_6, PLAIN_PORT, PORT));
        certifyAsUsual();
        disk.write("policy.json", """
                {
                  "acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}],
                  "autoApprovers": {"exitNode": ["%s@"]}
                }
                """.formatted(USER));
        // The tuning: changes are told at once, where the defaults collect them for up to 800 ms.
        disk.write("headscale.yaml", """
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
                        URL, PORT, disk.root(), STUN_PORT, ADDRESS_4, ADDRESS_6, Lab.RESOLVER_4));
        try {
            live();
            run("users", "create", USER);
        } catch (AssertionError | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Ends it at once: control and relay are gone. */
    public void die() {
        if (server != null) {
            server.close();
            server = null;
        }
    }

    /** Starts it; it remembers its tailnet. */
    public void live() {
        server = space.start(GoProgram.path("headscale"), "--config", config(), "serve");
        server.awaitLine("listening and serving HTTP on", START);
    }

    /** Starts it with a certificate that is valid from tomorrow on, as it is for somebody whose clock is a day late. */
    public void liveTomorrow() {
        certify(Certificate.tomorrow(NAME));
        live();
    }

    /** The certificate that everybody trusts, from its next start on. */
    public void certifyAsUsual() {
        certify(Certificate.HEADSCALE);
    }

    private void certify(Certificate certificate) {
        disk.write("certificate.pem", certificate.certificate());
        disk.write("key.pem", certificate.key());
    }

    /** Does what its administrator does with the address that a node asks a person to open. */
    public void register(String loginAddress) {
        run("auth", "register", "--user", USER, "--auth-id", loginAddress.substring(loginAddress.lastIndexOf('/') + 1));
    }

    /** Waits until a node of this name has connected since it last started. */
    public void awaitConnected(String name) {
        Objects.requireNonNull(server, "it is dead")
                .awaitLine("INF node connected .*node\\.name=" + name + " ", RETURN);
    }

    /** Its log since it last started. */
    public String log() {
        return server == null ? "" : server.output();
    }

    /** A new pre-auth key that any number of devices may use. */
    public String key() {
        return newKey("--reusable").getString("key");
    }

    /** A new pre-auth key that one device may use. */
    public String singleUseKey() {
        return newKey().getString("key");
    }

    /** A new pre-auth key whose devices are forgotten when they leave. */
    public String ephemeralKey() {
        return newKey("--reusable", "--ephemeral").getString("key");
    }

    /** A pre-auth key that has expired. */
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

    /** Every node of the tailnet. */
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

    /** The node of this name. */
    public Member member(String name) {
        return members().stream()
                .filter(member -> member.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no node " + name + " in " + members()));
    }

    /** Ends the login of a node: it has to log in anew. */
    public void expire(String name) {
        run("nodes", "expire", "--identifier", Long.toString(member(name).id()));
    }

    /** Throws a node out of the tailnet. */
    public void delete(String name) {
        run(
                "nodes",
                "delete",
                "--force",
                "--identifier",
                Long.toString(member(name).id()));
    }

    /** Lets a node have exactly these of the routes that it offers; {@code 0.0.0.0/0} and {@code ::/0} make an exit node. */
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
     * Settings of a containerboot that joins under this name; a new map to be changed at will. Its state and its socket are in
     * the node's own files.
     */
    public Map<String, String> settings(String name, String key) {
        Map<String, String> settings = new TreeMap<>();
        settings.put("TS_NO_LOGS_NO_SUPPORT", "true");
        settings.put("TS_AUTHKEY", key);
        settings.put("TS_HOSTNAME", name);
        settings.put("TS_EXTRA_ARGS", "--login-server=" + URL);
        settings.put("TS_STATE_DIR", "/var/lib/tailscale");
        settings.put("TS_SOCKET", Node.TAILSCALE_SOCKET);
        return settings;
    }

    private String run(String... arguments) {
        List<String> command =
                new ArrayList<>(List.of(GoProgram.path("headscale"), "--config", config(), "--output", "json"));
        command.addAll(List.of(arguments));
        return Outcome.of(command).orFail();
    }

    private String config() {
        return disk.root().resolve("headscale.yaml").toString();
    }

    @Override
    public void close() {
        die();
        disk.close();
    }
}
