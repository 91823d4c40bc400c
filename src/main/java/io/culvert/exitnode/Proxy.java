package io.culvert.exitnode;

import io.culvert.ip.Prefix;
import io.culvert.network.LinkAddress;
import io.culvert.plan.ExitNodePlan;
import io.culvert.plan.ExitNodePlanner;
import io.culvert.process.Child;
import io.culvert.process.ChildEvent;
import io.culvert.process.ChildSpec;
import io.culvert.process.Supervisor;
import io.culvert.proxy.Dante;
import io.culvert.proxy.DanteSettings;
import io.culvert.proxy.Login;
import io.culvert.proxy.ProxyProgram;
import io.culvert.proxy.SockdFile;
import io.culvert.settings.Settings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** The SOCKS proxy's process: started when the tunnel has its addresses, and anew when they change, as it reads them once. */
final class Proxy implements AutoCloseable {

    private static final String NAME = "dante";
    private static final Duration GRACE = Duration.ofSeconds(3);

    private final Settings settings;
    private final Optional<SockdFile> own;
    private final Dante dante;
    private Optional<Child> child = Optional.empty();
    private List<LinkAddress> startedWith = List.of();
    private Optional<String> awaited = Optional.empty();
    private Runnable forget = () -> {};

    /** @param own the user's own configuration, checked */
    Proxy(Surroundings around, Settings settings, Optional<SockdFile> own) {
        this.settings = settings;
        this.own = own;
        this.dante = new Dante(around.root(), around.runDirectory());
    }

    /** Where it listens; empty when it is off. */
    static OptionalInt port(Settings settings, Optional<SockdFile> own) {
        if (!settings.socks().enabled()) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(own.map(SockdFile::port).orElse(settings.socks().port()));
    }

    /** Runs it as planned, when it is wanted; safe to repeat. */
    void follow(ExitNodePlan plan, Supervisor supervisor) {
        List<LinkAddress> addresses = plan.tunnelNetwork().addresses();
        if (!settings.socks().enabled() || (child.isPresent() && addresses.equals(startedWith))) {
            return;
        }
        close();
        ProxyProgram program = own.map(dante::prepare).orElseGet(() -> prepare(plan));
        awaited = program.readyText();
        child = Optional.of(supervisor.start(
                new ChildSpec(NAME, program.program(), program.args(), Map.of("LANG", "C.UTF-8"), GRACE)));
        startedWith = addresses;
    }

    /** What a child says: perhaps the line by which the proxy says that it takes clients. */
    void heard(ChildEvent what) {
        if (what instanceof ChildEvent.Said(String name, String line)
                && name.equals(NAME)
                && awaited.filter(line::contains).isPresent()) {
            awaited = Optional.empty();
        }
    }

    /** Whether it takes clients, as far as it says so; true as well when it is off. */
    boolean isReady() {
        return awaited.isEmpty();
    }

    private ProxyProgram prepare(ExitNodePlan plan) {
        List<Prefix> lan = ExitNodePlanner.lan(settings, plan.machine());
        DanteSettings wanted = new DanteSettings(
                settings.socks().port(),
                ExitNodePlan.TUNNEL,
                plan.machine().ipv6(),
                Stream.concat(settings.socks().allow().stream(), plan.meshPeers().stream())
                        .distinct()
                        .toList(),
                Stream.concat(
                                lan.stream(),
                                plan.network().addresses().stream()
                                        .map(it -> Prefix.host(it.address().address())))
                        .distinct()
                        .toList(),
                settings.socks()
                        .login()
                        .map(it -> new Login(it.user(), it.password().text())));
        forget = () -> dante.forget(wanted);
        return dante.prepare(wanted);
    }

    @Override
    public void close() {
        child.ifPresent(Child::stop);
        child = Optional.empty();
        forget.run();
        forget = () -> {};
    }
}
