// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import java.time.Duration;
import java.util.List;

/** A device with the ordinary Tailscale. */
public final class TailscaleClient implements AutoCloseable {

    private static final Duration START_TIMEOUT = Duration.ofSeconds(20);

    private final String name;
    private final SandboxFiles files = new SandboxFiles(Lab.RESOLVER_IPV4).trust(Certificate.HEADSCALE);
    private final TailscaleCli tailscale = new TailscaleCli(files.root().resolve("run/tailscaled.sock"));
    private final RunningProgram daemon;

    /** Starts tailscaled, which is not logged in yet. */
    TailscaleClient(LabNamespace namespace, String name) {
        this.name = name;
        List<String> command = List.of(
                "env",
                "TS_NO_LOGS_NO_SUPPORT=true",
                // The machine may have no iptables, nor permission to load modules for them.
                "TS_DEBUG_FIREWALL_MODE=nftables",
                GoProgram.path("tailscaled"),
                "--statedir=/var/lib/tailscale",
                "--socket=/run/tailscaled.sock");
        daemon =
                RunningProgram.start(name + "'s tailscaled", namespace.inside(Sandbox.MACHINE.command(files, command)));
        try {
            daemon.awaitLine("got LocalBackend", START_TIMEOUT);
        } catch (AssertionError e) {
            close();
            throw e;
        }
    }

    /** Returns the command {@code tailscale} for this device. */
    public TailscaleCli tailscale() {
        return tailscale;
    }

    /** Returns the log of its tailscaled. */
    public String log() {
        return daemon.output();
    }

    /** Returns its name in the tailnet. */
    public String name() {
        return name;
    }

    /** Joins the tailnet with its name, and accepts the tailnet's DNS settings. */
    public CommandResult join(String key) {
        return tailscale.attempt(
                "up",
                "--login-server=" + Headscale.URL,
                "--auth-key=" + key,
                "--hostname=" + name,
                "--timeout=" + ScaledTimeout.of(START_TIMEOUT).toSeconds() + "s");
    }

    /** Uses this node as exit node, as soon as it is advertised. */
    public TailscaleClient useExitNode(String node) {
        tailscale.awaitExitNode(node);
        tailscale.run("set", "--exit-node=" + node);
        return this;
    }

    /** Stops using an exit node. */
    public TailscaleClient leaveExitNode() {
        tailscale.run("set", "--exit-node=");
        return this;
    }

    @Override
    public void close() {
        daemon.close();
        files.close();
    }
}
