// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.diagnostics.Log;
import io.culvert.linux.Egress;
import io.culvert.net.Family;
import io.culvert.net.Prefix;
import io.culvert.plan.ExitNodeInputs;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.portforward.PortFile;
import io.culvert.portforward.PortForwarding;
import io.culvert.portforward.PortForwarding.Target;
import io.culvert.portforward.UdpGatewayChannel;
import io.culvert.routing.TunnelIdentity;
import io.culvert.runtime.Environment;
import io.culvert.settings.ForwardedPortSettings;
import io.culvert.settings.ForwardedPortSource;
import io.culvert.settings.ForwardedPortSource.Requested;
import io.culvert.status.ForwardedPort;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** Provides the forwarded port of the settings to the exit node's plan, to its status and to the file for other programs. */
final class PortForwarder implements AutoCloseable {

    private final PortForwarding forwarding;
    private final Environment environment;
    private final Log log;
    private OptionalInt port = OptionalInt.empty();
    private String missing = "";
    private Optional<Path> file = Optional.empty();
    private OptionalInt written = OptionalInt.empty();
    private String fileError = "";

    /** @param owner runs tasks on the exit node's thread */
    PortForwarder(Environment environment, TunnelIdentity identity, Consumer<Runnable> owner) {
        this.environment = environment;
        this.log = environment.log();
        Egress egress = Egress.marked(identity.marks().stub()).boundTo(identity.link());
        this.forwarding = new PortForwarding(
                gateway -> UdpGatewayChannel.open(gateway, egress),
                environment.system().threads(),
                owner,
                environment.system().random().get(),
                log);
    }

    /**
     * Requests or renews the port, if that is due.
     *
     * @param server in use, by file and endpoint
     * @return when to call this again at the latest
     */
    Instant update(ExitNodeInputs inputs, ExitNodePlan plan, String server, boolean connected, Instant now) {
        ForwardedPortSettings settings = inputs.settings().forwardedPort();
        missing = "";
        Optional<Target> target = inputs.paused() ? Optional.empty() : target(settings, inputs, plan, server);
        Instant next = forwarding.update(target, connected, now);
        OptionalInt granted = settings.source() instanceof ForwardedPortSource.Fixed(int fixed)
                ? OptionalInt.of(fixed)
                : forwarding.port();
        if (granted.isPresent() && ExitNodePlanner.isProxyPort(inputs, granted.getAsInt())) {
            missing = granted.getAsInt() + " is the port of a proxy, which would be open to the internet";
            granted = OptionalInt.empty();
        }
        port = granted;
        write(settings.file().map(environment.root()::resolve));
        return next;
    }

    private Optional<Target> target(
            ForwardedPortSettings settings, ExitNodeInputs inputs, ExitNodePlan plan, String server) {
        if (!(settings.source() instanceof Requested source)) {
            return Optional.empty();
        }
        Optional<InetAddress> gateway = settings.gateway()
                .or(() -> plan.dns().servers().stream()
                        .filter(address -> Family.of(address) == Family.IPV4)
                        .findFirst());
        Optional<InetAddress> client = inputs.server().addresses().stream()
                .map(Prefix::address)
                .filter(address -> Family.of(address) == Family.IPV4)
                .findFirst();
        if (gateway.isEmpty() || client.isEmpty()) {
            missing = "the tunnel has no IPv4 "
                    + (client.isEmpty() ? "address" : "gateway; set CULVERT_FORWARDED_PORT_GATEWAY");
            return Optional.empty();
        }
        return Optional.of(new Target(source, gateway.get(), client.get(), server));
    }

    /** Returns the port that is to be reachable. */
    OptionalInt port() {
        return port;
    }

    ForwardedPort status(ForwardedPortSettings settings) {
        return switch (settings.source()) {
            case ForwardedPortSource.Off _ -> ForwardedPort.OFF;
            case ForwardedPortSource.Fixed _ -> new ForwardedPort(true, port, port.isPresent() ? "assigned" : missing);
            case Requested _ -> new ForwardedPort(true, port, missing.isEmpty() ? forwarding.description() : missing);
        };
    }

    /** Requests the port again, as the session with the server is a new one. */
    void renew() {
        forwarding.renew();
    }

    /** Gives the port back while the gateway can still be reached. */
    void release() {
        forwarding.release();
        port = OptionalInt.empty();
    }

    private void write(Optional<Path> to) {
        if (!to.equals(file)) {
            file.ifPresent(previous -> write(previous, OptionalInt.empty()));
            file = to;
            // One of an earlier run may be there.
            to.ifPresent(path -> write(path, port));
        } else if (!port.equals(written)) {
            to.ifPresent(path -> write(path, port));
        }
        written = port;
    }

    private void write(Path path, OptionalInt number) {
        try {
            PortFile.write(path, number);
            fileError = "";
        } catch (IOException e) {
            String error = "port forwarding: cannot write " + path + " (" + e + ")";
            if (!error.equals(fileError)) {
                log.warn(error);
            }
            fileError = error;
        }
    }

    @Override
    public void close() {
        release();
        write(Optional.empty());
    }
}
