// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.zxing.BinaryBitmap;
import com.google.zxing.NotFoundException;
import com.google.zxing.RGBLuminanceSource;
import com.google.zxing.common.HybridBinarizer;
import com.google.zxing.multi.qrcode.QRCodeMultiReader;
import io.culvert.wireguard.config.KeyGenerator;
import io.culvert.wireguard.config.SecretKey;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeshCommandsTest {

    private static final SecretKey HUB = KeyGenerator.generatePrivate();
    private static final SecretKey PHONE = KeyGenerator.generatePrivate();

    @TempDir
    private Path directory;

    @BeforeEach
    void network() throws IOException {
        Files.writeString(directory.resolve("phone.key"), text(PHONE) + "\n");
        Files.writeString(directory.resolve("network.yaml"), """
                version: v1
                subnets: [{name: home}, {name: lab}]
                peers:
                  - name: hub
                    publicKey: %s
                    privateKeyFile: hub.key
                    subnets: {home: {listenPort: 51820, ipAddresses: [10.0.0.1, auto]}, lab: {listenPort: 51821}}
                    endpoints: [{ip: vpn.example.net}]
                    exit: true
                  - name: phone
                    publicKey: %s
                    privateKeyFile: phone.key
                    external: true
                    subnets: {home: {ipAddresses: [10.0.0.2, auto]}}
                    via: hub
                    dns: [10.0.0.1]
                connections: [{a: [], b: [], subnets: [home]}]
                """.formatted(
                        KeyGenerator.publicOf(HUB), KeyGenerator.publicOf(PHONE)));
    }

    private static String text(SecretKey key) {
        return Base64.getEncoder().encodeToString(key.bytes());
    }

    private CommandRun mesh(String... arguments) {
        String[] all = new String[arguments.length + 1];
        all[0] = "mesh";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return CommandRun.of(
                Map.of("CULVERT_MESH_CONFIG", directory.resolve("network.yaml").toString()), directory, all);
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    @Test
    void check_reports_a_summary_or_all_errors() throws IOException {
        assertThat(mesh("check").out()).contains("2 peers, 1 link, no errors");
        Files.writeString(directory.resolve("bad.yaml"), "version: v1\npeers: [{name: a}]\n");

        CommandRun invalid = mesh("check", file("bad.yaml"));

        assertThat(invalid.status()).isEqualTo(2);
        assertThat(invalid.err())
                .contains("bad.yaml:1:1: this network has no subnets, no connections", "bad.yaml:2:9: this peer has");
    }

    @Test
    void render_prints_one_file_per_subnet_without_secrets() {
        CommandRun hub = mesh("render", "hub");

        assertThat(hub.status()).as(hub.err()).isZero();
        assertThat(hub.out())
                .contains(
                        "# ---- home.conf", "# ---- lab.conf", "# PrivateKey = (contents of " + file("hub.key") + ")");
        assertThat(mesh("render", "phone").out())
                .startsWith("# phone in subnet home\n[Interface]\n# PrivateKey")
                .contains("AllowedIPs = 10.0.0.1/32, ", "0.0.0.0/0, ::/0\n", "Endpoint = vpn.example.net:51820\n")
                .doesNotContain(text(PHONE));
        assertThat(mesh("render", "phone", "--with-keys").out()).contains("PrivateKey = " + text(PHONE));
    }

    @Test
    void render_writes_files_readable_by_their_owner_only() throws IOException {
        CommandRun run = mesh("render", "phone", "--output", file("out"));

        Path written = directory.resolve("out/home.conf");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(Files.readString(written)).contains("PrivateKey = " + text(PHONE));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(written)))
                .isEqualTo("rw-------");
    }

    @Test
    void render_all_warns_about_missing_key_files() {
        CommandRun run = mesh("render", "--all", "--output", file("all"));

        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err()).contains("hub.key: warning: key file not found");
        assertThat(directory.resolve("all/hub/lab.conf")).exists();
        assertThat(directory.resolve("all/phone/home.conf")).exists();
    }

    @Test
    void a_private_key_that_does_not_match_the_public_key_is_rejected() throws IOException {
        Files.writeString(directory.resolve("hub.key"), text(PHONE));

        CommandRun run = mesh("render", "hub", "--output", file("out"));

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).contains("not the private key of 'hub'").doesNotContain(text(PHONE));
        assertThat(directory.resolve("out")).doesNotExist();
    }

    @Test
    void render_for_networkd_refers_to_key_files_and_routes_a_full_tunnel() {
        CommandRun run = mesh("render", "phone", "--format", "networkd");

        assertThat(run.out())
                .contains("PrivateKeyFile=" + file("phone.key"), "RouteTable=51820", "FirewallMark=0x51000000")
                .contains("[RoutingPolicyRule]\nFamily=both\nInvertRule=yes\nFirewallMark=0x51000000\nTable=51820")
                .contains("DNS=10.0.0.1\nDomains=~.");
        assertThat(mesh("render", "hub", "--format", "networkd").out()).contains("IPMasquerade=both");
    }

    @Test
    void render_as_json_contains_all_settings() {
        CommandRun run = mesh("render", "hub", "--format", "json");

        assertThat(run.out())
                .contains("\"device\":\"home\"", "\"direction\":\"exit\"", "\"hosts\":[\"10.0.0.2 phone.home phone\"");
    }

    @Test
    void invalid_usage_is_reported() {
        assertThat(mesh("render", "hubb").err()).contains("unknown peer 'hubb'", "did you mean hub?");
        assertThat(mesh("render").status()).isEqualTo(2);
        assertThat(mesh("render", "hub", "--format", "jason").err()).contains("did you mean json?");
        assertThat(mesh().err()).contains("Missing command: check, render");
        assertThat(mesh("qr", "hub", "--format", "png").err()).contains("--output FILE");
        assertThat(mesh("qr", "hub").err()).contains("peer 'hub' is in home, lab", "--subnet");
    }

    @Test
    void list_explain_and_graph_show_the_network() {
        assertThat(mesh("list", "--tree").out())
                .contains("├─ ● hub", "└─ ○ phone", "vpn.example.net:51820", "via hub; external");
        assertThat(mesh("list").out()).contains("● hub");
        CommandRun explained = mesh("explain", "phone", "hub");
        assertThat(explained.status()).isZero();
        assertThat(explained.out())
                .contains("phone -> hub in subnet home")
                .containsPattern("ip +vpn.example.net +peer 'hub', line 8")
                .containsPattern("port +51820 +its listenPort, line 7")
                .containsPattern("persistentKeepalive +25 +default");
        assertThat(mesh("graph").out()).startsWith("<svg xmlns").contains("2 peers, 1 link", ">phone</text>");
        assertThat(mesh("graph", "--format", "dot").out()).contains("\"phone\" -> \"hub\"");
        assertThat(mesh("schema").out()).contains("\"$schema\"");
    }

    @Test
    void explain_shows_why_two_peers_are_not_linked() throws IOException {
        Path file = directory.resolve("network.yaml");
        Files.writeString(
                file,
                Files.readString(file)
                        .replace("[{a: [], b: [], subnets: [home]}]", "[]")
                        .replace("via: hub", ""));

        CommandRun run = mesh("explain", "phone", "hub");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).contains("not linked: no connection joins them in home");
    }

    @Test
    void keygen_writes_a_secret_file_once_and_prints_the_public_key() throws IOException {
        CommandRun generated = mesh("keygen", file("new.key"));

        assertThat(generated.out().strip())
                .isEqualTo(KeyGenerator.publicOf(SecretKey.parse(
                                Files.readString(directory.resolve("new.key")).strip()))
                        .toString());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("new.key"))))
                .isEqualTo("rw-------");
        assertThat(mesh("keygen", file("new.key")).err()).contains("the file already exists");
        assertThat(mesh("keygen", "--preshared").out().strip()).hasSize(44);
        assertThat(mesh("keygen").out()).contains("private key: ", "public key:  ");
    }

    @Test
    void the_qr_code_can_be_decoded() throws IOException, NotFoundException {
        assertThat(mesh("qr", "phone", "--format", "png", "--output", file("phone.png"))
                        .status())
                .isZero();

        BufferedImage image = ImageIO.read(directory.resolve("phone.png").toFile());
        int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        String read = new QRCodeMultiReader()
                        .decodeMultiple(new BinaryBitmap(new HybridBinarizer(
                                new RGBLuminanceSource(image.getWidth(), image.getHeight(), pixels))))[0]
                        .getText();

        assertThat(read).startsWith("[Interface]\nPrivateKey = " + text(PHONE)).contains("0.0.0.0/0, ::/0");
        assertThat(mesh("qr", "phone").out().lines().toList()).hasSizeGreaterThan(20);
        assertThat(mesh("qr", "phone", "--format", "svg").out()).startsWith("<svg");
    }

    @Test
    void without_the_private_key_no_qr_code_is_shown() throws IOException {
        Files.delete(directory.resolve("phone.key"));

        CommandRun run = mesh("qr", "phone");

        assertThat(run.status()).isEqualTo(2);
        assertThat(run.err()).contains("phone.key: key file not found");
    }

    @Test
    void importing_wg_quick_files_yields_a_network_of_their_hosts() throws IOException {
        Files.writeString(directory.resolve("alice.conf"), """
                [Interface]
                PrivateKey = %s
                Address = 10.0.0.1/24
                ListenPort = 51820
                # bob
                [Peer]
                PublicKey = %s
                AllowedIPs = 10.0.0.2/32, 192.168.2.0/24
                """.formatted(text(HUB), KeyGenerator.publicOf(PHONE)));
        Files.writeString(directory.resolve("bob.conf"), """
                [Interface]
                PrivateKey = %s
                Address = 10.0.0.2/24
                [Peer]
                PublicKey = %s
                AllowedIPs = 0.0.0.0/0
                Endpoint = vpn.example.net:51820
                PersistentKeepalive = 15
                """.formatted(text(PHONE), KeyGenerator.publicOf(HUB)));

        CommandRun imported = mesh("import", file("alice.conf"), file("bob.conf"), "--keys", file("keys"));

        assertThat(imported.status()).as(imported.err() + imported.out()).isZero();
        assertThat(imported.out())
                .contains("name: alice", "name: bob", "exit: true", "via: alice", "routes: [192.168.2.0/24]")
                .contains("{ip: vpn.example.net, port: 51820, persistentKeepalive: 15}")
                .doesNotContain(text(HUB));
        assertThat(Files.readString(directory.resolve("keys/bob.key"))).isEqualTo(text(PHONE) + "\n");
        Files.writeString(directory.resolve("network.yaml"), imported.out());
        assertThat(mesh("render", "bob", "--with-keys").out())
                .contains("PrivateKey = " + text(PHONE), "0.0.0.0/0", "PersistentKeepalive = 15");

        CommandRun again = mesh("import", file("alice.conf"), file("bob.conf"), "--keys", file("keys"));
        assertThat(again.status()).as(again.err()).isZero();

        Files.writeString(directory.resolve("keys/alice.key"), "another key that exists nowhere else\n");
        Files.delete(directory.resolve("keys/bob.key"));
        CommandRun taken = mesh("import", file("alice.conf"), file("bob.conf"), "--keys", file("keys"));
        assertThat(taken.status()).isEqualTo(2);
        assertThat(taken.err()).contains("alice.key: ", "the file exists", "no key was written");
        assertThat(taken.out()).isEmpty();
        assertThat(directory.resolve("keys/alice.key")).hasContent("another key that exists nowhere else");
        assertThat(directory.resolve("keys/bob.key")).doesNotExist();

        CommandRun one = mesh("import", file("alice.conf"));
        assertThat(one.out()).contains("name: bob", "external: true");
        assertThat(one.err()).contains("use --keys DIR to write it");
    }

    @Test
    void importing_wg_meshconf_yields_a_full_mesh() throws IOException {
        Files.writeString(directory.resolve("database.csv"), """
                "Name","Address","Endpoint","AllowedIPs","ListenPort","PersistentKeepalive","FwMark","PrivateKey","DNS","MTU","Table","PreUp","PostUp","PreDown","PostDown","SaveConfig"
                "one","10.1.0.1/16,fd00::1/64","192.0.2.1","","51820","","","%s","","","","","","","",""
                "two","10.1.0.2/16","","10.7.0.0/24","51821","25","","%s","","1400","","","","","",""
                """.formatted(text(HUB), text(PHONE)));

        CommandRun run = mesh("import", file("database.csv"));

        assertThat(run.status()).as(run.err() + run.out()).isZero();
        assertThat(run.out())
                .contains(
                        "ipAddresses: [10.1.0.1/16, fd00::1/64]",
                        "routes: [10.7.0.0/24]",
                        "connections:\n  - {a: [], b: []}")
                .doesNotContain(text(HUB));
        assertThat(run.err()).contains("not supported in a network file: MTU");
        Files.writeString(directory.resolve("network.yaml"), run.out());
        assertThat(mesh("render", "two").out())
                .contains(
                        "AllowedIPs = 10.1.0.1/32, fd00::1/128",
                        "Endpoint = 192.0.2.1:51820",
                        "PersistentKeepalive = 25");
    }

    @Test
    void importing_wirenix_JSON_yields_an_equivalent_network() throws IOException {
        Files.writeString(directory.resolve("acl.json"), """
                {"connections":[{"a":[{"rule":"is","type":"subnet","value":"s"}],"b":[]}],"groups":[],
                 "peers":[{"endpoints":[{"ip":"2001:db8::1"}],"name":"one","privateKeyFile":"/k","privateKey":"%s",
                           "publicKey":"%s","subnets":{"s":{"listenPort":51820}}},
                          {"name":"two","privateKeyFile":"/k","publicKey":"%s","subnets":{"s":{"listenPort":51820}}}],
                 "subnets":[{"endpoints":[{"port":51820}],"name":"s"}],"version":"v1"}
                """.formatted(
                        text(HUB), KeyGenerator.publicOf(HUB), KeyGenerator.publicOf(PHONE)));

        CommandRun run = mesh("import", file("acl.json"));

        assertThat(run.status()).as(run.err() + run.out()).isZero();
        assertThat(run.err()).contains("warning: privateKey is ignored");
        assertThat(run.out()).contains("version: v1").doesNotContain(text(HUB));
        Files.writeString(directory.resolve("network.yaml"), run.out());
        assertThat(mesh("render", "two").out()).contains("Endpoint = [2001:db8::1]:51820");
    }

    @Test
    void files_that_cannot_be_imported_are_reported() throws IOException {
        Files.writeString(directory.resolve("broken.conf"), "[Interface]\nPrivateKey = x\n");

        assertThat(mesh("import", file("broken.conf")).status()).isEqualTo(2);
        assertThat(mesh("import", file("missing.conf")).err()).contains("file not found");
    }
}
