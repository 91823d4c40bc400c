// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import io.culvert.controlserver.ControlServer;
import io.culvert.controlserver.EventLog;
import io.culvert.controlserver.ExitNodeAccess;
import io.culvert.controlserver.ExitNodeFigures;
import io.culvert.controlserver.HttpLimits;
import io.culvert.net.Prefix;
import io.culvert.plan.ExitNodePlan;
import io.culvert.reconcile.EventQueue;
import io.culvert.rtnl.LinkAddress;
import io.culvert.runtime.Environment;
import io.culvert.settings.HttpAddress;
import io.culvert.settings.Settings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Runs the HTTP control server where the settings have addresses for it. What is requested goes through the same queue of
 * events as what the commands request.
 */
final class HttpControl implements AutoCloseable {

    /** What the server's threads read. */
    private record Configured(Settings settings, Set<String> hostNames) {}

    private final Environment environment;
    private final String hostName;
    private final EventQueue<ExitNodeEvent> events;
    private final Supplier<ExitNodeFigures> figures;
    private Optional<ControlServer> server = Optional.empty();
    private volatile Configured configured;
    private boolean listensEverywhere = true;

    /** @param figures reads them, on the exit node's thread */
    HttpControl(
            Environment environment,
            Settings settings,
            String hostName,
            EventQueue<ExitNodeEvent> events,
            Supplier<ExitNodeFigures> figures) {
        this.figures = figures;
        this.environment = environment;
        this.hostName = hostName;
        this.events = events;
        this.configured = new Configured(settings, Set.of());
    }

    /** Listens where the settings say; idempotent. */
    void apply(Settings settings, ExitNodePlan plan) {
        if (settings.http().addresses().isEmpty()) {
            close();
            return;
        }
        configured = new Configured(settings, hostNames(plan));
        Set<SocketAddress> addresses = addresses(settings, plan);
        if (server.isEmpty()) {
            EventLog log = new EventLog(environment.clock());
            environment.log().setListener(log::add);
            server = Optional.of(new ControlServer(
                    access(),
                    log,
                    HttpLimits.DEFAULT,
                    environment.system().threads(),
                    environment.clock(),
                    environment.log()));
        }
        listensEverywhere = server.get().listen(addresses);
    }

    /** Returns whether it could not listen on an address; {@link #apply} is to be repeated then. */
    boolean isUnsettled() {
        return !listensEverywhere;
    }

    private static Set<SocketAddress> addresses(Settings settings, ExitNodePlan plan) {
        Set<SocketAddress> addresses = new LinkedHashSet<>();
        for (HttpAddress address : settings.http().addresses()) {
            switch (address) {
                case HttpAddress.OnLoopback(InetSocketAddress socket) -> addresses.add(socket);
                case HttpAddress.OnUnixSocket(var path) -> addresses.add(UnixDomainSocketAddress.of(path));
                case HttpAddress.OnMesh(int port) ->
                    meshAddresses(plan).forEach(own -> addresses.add(new InetSocketAddress(own, port)));
            }
        }
        return addresses;
    }

    private static List<InetAddress> meshAddresses(ExitNodePlan plan) {
        Stream<InetAddress> ofInterfaces = plan.network().addresses().stream()
                .filter(address -> !address.link().equals(plan.identity().link()))
                .map(LinkAddress::address)
                .map(Prefix::address);
        return Stream.concat(ofInterfaces, plan.tailnet().addresses().stream())
                .distinct()
                .toList();
    }

    /** Returns the names by which other nodes of the mesh know this one. */
    private Set<String> hostNames(ExitNodePlan plan) {
        Set<String> names = new LinkedHashSet<>();
        if (!hostName.isEmpty()) {
            names.add(hostName);
            plan.tailnet().suffix().ifPresent(suffix -> names.add(hostName + "." + suffix));
        }
        return names;
    }

    private ExitNodeAccess access() {
        return new ExitNodeAccess(
                this::requestFigures,
                () -> ExitNodeAudit.of(environment).report().toJson(),
                (request, response) -> events.add(new ExitNodeEvent.ControlRequested(request, response)),
                () -> StatusService.requestLeakTest(events),
                () -> configured.hostNames(),
                () -> configured.settings().http().token());
    }

    private ExitNodeFigures requestFigures() {
        return StatusService.request(
                events,
                response -> new ExitNodeEvent.DeferredUpdate(() -> response.completeAsync(figures, Runnable::run)));
    }

    @Override
    public void close() {
        server.ifPresent(running -> {
            running.close();
            environment.log().setListener((_, _) -> {});
        });
        server = Optional.empty();
        listensEverywhere = true;
    }
}
