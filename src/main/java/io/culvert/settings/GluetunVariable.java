// SPDX-License-Identifier: Apache-2.0
package io.culvert.settings;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One of gluetun's variables, and what it does here; the table in docs/coming-from/gluetun.md comes from here.
 *
 * @param names the name, then the older ones that gluetun accepts
 */
record GluetunVariable(List<String> names, Effect effect) {

    /** Prefixes of names that are gluetun's own, so that misspelt ones are reported. */
    static final List<String> PREFIXES =
            List.of("WIREGUARD_", "FIREWALL_", "VPN_PORT_FORWARDING_", "HTTPPROXY_", "SOCKS5_");

    private static final Pattern PORT = Pattern.compile("[0-9]+");

    /** What a variable does. */
    sealed interface Effect {}

    /**
     * It sets one of Culvert's settings.
     *
     * @param convert returns the text of the setting; empty if the value is gluetun's default, for which Culvert has its own
     */
    record Sets(Setting<?> setting, Function<String, Optional<String>> convert) implements Effect {}

    /** It describes the WireGuard server. */
    record IsServers() implements Effect {}

    /** Nothing is missing without it. */
    record IsNotNeeded(String reason) implements Effect {}

    /**
     * Culvert cannot do what it asks for, and says so.
     *
     * @param unless the values, in lower case, that ask for nothing else than what Culvert does
     */
    record HasNoEffect(Set<String> unless, String reason, String hint) implements Effect {}

    /** All variables, in the order of gluetun's Dockerfile. */
    static final List<GluetunVariable> ALL = List.of(
            of(new IsServers(), GluetunVariables.PROVIDER, "VPN_TYPE", "WIREGUARD_CONF_SECRETFILE"),
            hasNoEffect(
                    Set.of("wg0"),
                    "the tunnel's interface is called wg0",
                    "bind programs to wg0, or to no interface: the kill switch holds either way",
                    "VPN_INTERFACE",
                    "WIREGUARD_INTERFACE"),
            of(new IsServers(), WireGuardVariables.KEYS.toArray(String[]::new)),
            sets(
                    Catalogue.WIREGUARD_IMPLEMENTATION,
                    text -> text.equalsIgnoreCase("kernelspace") ? "kernel" : text.toLowerCase(Locale.ROOT),
                    "WIREGUARD_IMPLEMENTATION"),
            sets(
                    Catalogue.FORWARDED_PORT,
                    text -> isOn(text) ? "auto" : "off",
                    "VPN_PORT_FORWARDING",
                    "PORT_FORWARDING",
                    "PRIVATE_INTERNET_ACCESS_VPN_PORT_FORWARDING"),
            sets(
                    Catalogue.FORWARDED_PORT_PATH,
                    text -> text,
                    "VPN_PORT_FORWARDING_STATUS_FILE",
                    "PORT_FORWARDING_STATUS_FILE",
                    "PRIVATE_INTERNET_ACCESS_VPN_PORT_FORWARDING_STATUS_FILE"),
            hasNoEffect(
                    Set.of("0"),
                    "the forwarded port is not redirected to another one",
                    "let the program listen on the forwarded port",
                    "VPN_PORT_FORWARDING_LISTENING_PORTS",
                    "VPN_PORT_FORWARDING_LISTENING_PORT"),
            hasNoEffect(Set.of("1"), "only one port is forwarded", "remove it", "VPN_PORT_FORWARDING_PORTS_COUNT"),
            notNeeded(
                    "the port is requested by NAT-PMP or PCP, which need no login",
                    "VPN_PORT_FORWARDING_PROVIDER",
                    "VPN_PORT_FORWARDING_USERNAME",
                    "VPN_PORT_FORWARDING_PASSWORD"),
            hasNoEffect(
                    Set.of(),
                    "Culvert runs no commands: its image has no shell",
                    "remove it",
                    "VPN_PORT_FORWARDING_UP_COMMAND",
                    "VPN_PORT_FORWARDING_DOWN_COMMAND"),
            hasNoEffect(
                    Set.of(),
                    "Culvert has no lists of providers' servers, so there is nothing to select from",
                    "choose the server by its file or its WIREGUARD_ENDPOINT_IP",
                    "SERVER_REGIONS",
                    "SERVER_COUNTRIES",
                    "SERVER_CITIES",
                    "SERVER_HOSTNAMES",
                    "SERVER_CATEGORIES",
                    "SERVER_NAMES",
                    "SERVER_NUMBER"),
            hasNoEffect(
                    Set.of("on", "yes", "true", "1"),
                    "the kill switch cannot be turned off",
                    "remove it",
                    "FIREWALL_ENABLED_DISABLING_IT_SHOOTS_YOU_IN_YOUR_FOOT"),
            sets(Catalogue.FORWARDED_PORT, text -> text, "FIREWALL_VPN_INPUT_PORTS"),
            sets(Catalogue.PUBLISH, GluetunVariable::bothTransports, "FIREWALL_INPUT_PORTS"),
            sets(Catalogue.LAN_ALLOW, text -> "auto," + text, "FIREWALL_OUTBOUND_SUBNETS", "EXTRA_SUBNETS"),
            sets(Catalogue.LOG, GluetunVariable::level, "LOG_LEVEL"),
            notNeeded(
                    "`culvert health` judges the tunnel by its own traffic",
                    "HEALTH_SERVER_ADDRESS",
                    "HEALTH_TARGET_ADDRESSES",
                    "HEALTH_TARGET_ADDRESS",
                    "HEALTH_ICMP_TARGET_IPS",
                    "HEALTH_ICMP_TARGET_IP",
                    "HEALTH_SMALL_CHECK_TYPE",
                    "HEALTH_RESTART_VPN",
                    "HEALTH_VPN_DURATION_INITIAL",
                    "HEALTH_VPN_DURATION_ADDITION",
                    "HEALTH_SUCCESS_WAIT_DURATION"),
            new GluetunVariable(
                    List.of("DNS_UPSTREAM_PLAIN_ADDRESSES", "DNS_ADDRESS"),
                    new Sets(Catalogue.DNS, GluetunVariable::resolvers)),
            notNeeded(
                    "DNS queries go through the tunnel, to the provider's resolver",
                    "DNS_SERVER",
                    "DOT",
                    "DNS_UPSTREAM_RESOLVER_TYPE",
                    "DNS_UPSTREAM_RESOLVERS",
                    "DOT_PROVIDERS",
                    "DNS_CACHING",
                    "DOT_CACHING",
                    "DNS_UPSTREAM_IPV6",
                    "DOT_IPV6",
                    "DNS_KEEP_NAMESERVER",
                    "DNS_UPDATE_PERIOD"),
            hasNoEffect(
                    Set.of("off", "no", "false", "0"),
                    "Culvert has no lists of names to block",
                    "use a resolver that blocks them, with CULVERT_DNS",
                    "BLOCK_ADS",
                    "BLOCK_SURVEILLANCE"),
            notNeeded(
                    "Culvert has no lists of names to block",
                    "BLOCK_MALICIOUS",
                    "DNS_BLOCK_IPS",
                    "DNS_BLOCK_IP_PREFIXES",
                    "DNS_UNBLOCK_HOSTNAMES",
                    "UNBLOCK",
                    "DNS_REBINDING_PROTECTION_EXEMPT_HOSTNAMES"),
            sets(Catalogue.HTTP_PROXY, GluetunVariable::switched, "HTTPPROXY", "TINYPROXY", "PROXY"),
            sets(
                    Catalogue.HTTP_PROXY_PORT,
                    GluetunVariable::port,
                    "HTTPPROXY_LISTENING_ADDRESS",
                    "HTTPPROXY_PORT",
                    "TINYPROXY_PORT",
                    "PROXY_PORT"),
            sets(Catalogue.SOCKS_USER, text -> text, "HTTPPROXY_USER", "SOCKS5_USER"),
            sets(Catalogue.SOCKS_PASSWORD, text -> text, "HTTPPROXY_PASSWORD", "SOCKS5_PASSWORD"),
            notNeeded(
                    "requests are not logged, and carry no header about the proxy",
                    "HTTPPROXY_LOG",
                    "HTTPPROXY_STEALTH"),
            sets(Catalogue.SOCKS, GluetunVariable::switched, "SOCKS5", "SOCKS5_ENABLED"),
            sets(Catalogue.SOCKS_PORT, GluetunVariable::port, "SOCKS5_LISTENING_ADDRESS"),
            hasNoEffect(
                    Set.of("off", "no", "false", "0"),
                    "there is no Shadowsocks server",
                    "use the SOCKS5 proxy: CULVERT_SOCKS=true",
                    "SHADOWSOCKS"),
            notNeeded(
                    "Culvert has no lists of servers",
                    "UPDATER_PERIOD",
                    "UPDATER_VPN_SERVICE_PROVIDERS",
                    "UPDATER_MIN_RATIO",
                    "STORAGE_SERVERS_ENABLED"),
            notNeeded("the image's own user is used", "PUID", "PGID"));

    private static GluetunVariable of(Effect effect, String... names) {
        return new GluetunVariable(List.of(names), effect);
    }

    private static GluetunVariable sets(Setting<?> setting, Function<String, String> convert, String... names) {
        return of(new Sets(setting, text -> Optional.of(convert.apply(text))), names);
    }

    private static GluetunVariable notNeeded(String reason, String... names) {
        return of(new IsNotNeeded(reason), names);
    }

    private static GluetunVariable hasNoEffect(Set<String> unless, String reason, String hint, String... names) {
        return of(new HasNoEffect(unless, reason, hint), names);
    }

    /** Returns every name, also with the suffixes for secrets. */
    static Set<String> allNames() {
        Set<String> names = new LinkedHashSet<>();
        ALL.forEach(variable -> names.addAll(variable.names()));
        for (String name : List.copyOf(names)) {
            names.add(name + "_SECRETFILE");
            names.add(Setting.fileVariable(name));
        }
        return names;
    }

    /** Gluetun opens a port for both; what is no port stays as it is, to be reported once. */
    private static String bothTransports(String ports) {
        return Stream.of(ports.split(",", -1))
                .map(String::strip)
                .flatMap(port ->
                        PORT.matcher(port).matches() ? Stream.of(port + "/tcp", port + "/udp") : Stream.of(port))
                .collect(Collectors.joining(","));
    }

    /** Returns the addresses without ports; empty if the address is that of gluetun's own resolver, its default. */
    private static Optional<String> resolvers(String text) {
        List<String> addresses = new ArrayList<>();
        for (String word : text.split(",", -1)) {
            String address =
                    word.strip().replaceFirst("^\\[(.*)](:[0-9]+)?$", "$1").replaceFirst("^([0-9.]+):53$", "$1");
            if (!address.equals("127.0.0.1")) {
                addresses.add(address);
            }
        }
        return addresses.isEmpty() ? Optional.empty() : Optional.of(String.join(",", addresses));
    }

    private static boolean isOn(String text) {
        return Set.of("on", "yes", "true", "1", "enabled").contains(text.toLowerCase(Locale.ROOT));
    }

    /** Returns the word for a switch; what is none stays as it is, to be reported. */
    private static String switched(String text) {
        return isOn(text) ? "true" : text;
    }

    /** Returns the port of a listening address such as {@code :8888}. */
    private static String port(String address) {
        return address.substring(address.lastIndexOf(':') + 1);
    }

    private static String level(String text) {
        return text.equalsIgnoreCase("warning") ? "warn" : text.toLowerCase(Locale.ROOT);
    }
}
