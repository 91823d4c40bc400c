package io.culvert.lab;

import java.time.Duration;
import java.util.List;

/** A person's device with the ordinary Tailscale on it. */
public final class TailscaleClient implements AutoCloseable {

    private static final Duration START = Duration.ofSeconds(20);

    private final String name;
    private final Disk disk = new Disk(Lab.RESOLVER_4).trust(Certificate.HEADSCALE);
    private final Tailscale tailscale = new Tailscale(disk.root().resolve("run/tailscaled.sock"));
    private final Child daemon;

    /** Starts the daemon, which belongs to nobody yet. */
    TailscaleClient(Namespace space, String name) {
        this.name = name;
        List<String> command = List.of(
                "env",
                "TS_NO_LOGS_NO_SUPPORT=true",
                // The machine may have no iptables, nor permission to load modules for them.
                "TS_DEBUG_FIREWALL_MODE=nftables",
                GoProgram.path("tailscaled"),
                "--statedir=/var/lib/tailscale",
                "--socket=/run/tailscaled.sock");
        daemon = Child.start(name + "'s tailscaled", space.inside(Box.MACHINE.around(disk, command)));
        try {
            daemon.awaitLine("got LocalBackend", START);
        } catch (AssertionError e) {
            close();
            throw e;
        }
    }

    /** Its daemon, for those who want to know more. */
    public Tailscale tailscale() {
        return tailscale;
    }

    /** Its daemon's log. */
    public String log() {
        return daemon.output();
    }

    /** Its name in the tailnet. */
    public String name() {
        return name;
    }

    /** Joins the tailnet under its name, as a person's device does: it takes the tailnet's names and resolvers too. */
    public Outcome join(String key) {
        return tailscale.attempt(
                "up",
                "--login-server=" + Headscale.URL,
                "--auth-key=" + key,
                "--hostname=" + name,
                "--timeout=" + Patience.of(START).toSeconds() + "s");
    }

    /** Sends everything through this node from now on, once it may. */
    public TailscaleClient useExitNode(String node) {
        tailscale.awaitExitNode(node);
        tailscale.run("set", "--exit-node=" + node);
        return this;
    }

    /** Goes its own way again. */
    public TailscaleClient leaveExitNode() {
        tailscale.run("set", "--exit-node=");
        return this;
    }

    @Override
    public void close() {
        daemon.close();
        disk.close();
    }
}
