// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A machine made of network namespaces with two uplinks: {@code wg0} to a provider (198.51.100.53, 2001:db8:1::53) and
 * {@code eth0} to a LAN (192.0.2.53). Unmarked packets leave by wg0, those with Culvert's mark by eth0, as with the
 * real rules.
 */
public final class TwoUplinks implements AutoCloseable {

    private final String id = Long.toString(ProcessHandle.current().pid());

    public TwoUplinks() throws IOException {
        for (String namespace : List.of(box(), provider(), lan())) {
            ip("netns add " + namespace);
            ip("-n " + namespace + " link set lo up");
        }
        ip("link add wg0 netns " + box() + " type veth peer name far netns " + provider());
        ip("link add eth0 netns " + box() + " type veth peer name far netns " + lan());
        in(box(), "addr add 10.64.0.2/32 dev wg0");
        in(box(), "-6 addr add fd64::2/128 dev wg0 nodad");
        in(box(), "addr add 192.0.2.10/24 dev eth0");
        in(provider(), "addr add 198.51.100.53/24 dev far");
        in(provider(), "-6 addr add 2001:db8:1::53/64 dev far nodad");
        in(lan(), "addr add 192.0.2.53/24 dev far");
        for (String link : List.of(box() + " wg0", box() + " eth0", provider() + " far", lan() + " far")) {
            String[] words = link.split(" ", 2);
            in(words[0], "link set " + words[1] + " up");
        }
        in(provider(), "route add 10.64.0.2 dev far");
        in(provider(), "-6 route add fd64::2 dev far");
        in(box(), "route add default via 192.0.2.53");
        for (String family : List.of("-4", "-6")) {
            in(box(), family + " route add default dev wg0 table 51820");
            in(box(), family + " rule add not fwmark 0x51000000 table 51820 pref 5330");
            in(box(), family + " rule add not fwmark 0x51000000 unreachable pref 5340");
        }
    }

    public String box() {
        return "culvert-box-" + id;
    }

    public String provider() {
        return "culvert-provider-" + id;
    }

    public String lan() {
        return "culvert-lan-" + id;
    }

    /** Runs {@code ip} inside a namespace. */
    public void in(String namespace, String arguments) throws IOException {
        ip("-n " + namespace + " " + arguments);
    }

    /** Runs a program inside a namespace; returns its output, with a note if it fails. */
    public String run(String namespace, String... command) throws IOException {
        List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        words.addAll(List.of(command));
        return output(words);
    }

    /** Starts a program inside a namespace; its output goes to its pipe. */
    public Process start(String namespace, String... command) throws IOException {
        List<String> words = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        words.addAll(List.of(command));
        return new ProcessBuilder(words).redirectErrorStream(true).start();
    }

    @Override
    public void close() throws IOException {
        for (String namespace : List.of(box(), provider(), lan())) {
            ip("netns del " + namespace);
        }
    }

    private static void ip(String arguments) throws IOException {
        String output = output(List.of(("ip " + arguments).split(" ", -1)));
        if (!output.isEmpty()) {
            throw new IOException("ip " + arguments + ": " + output);
        }
    }

    private static String output(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            int status = process.waitFor();
            return status == 0 ? output : output + "(exit status " + status + ")";
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
