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

/** The SOCKS proxy's process: started when the tunnel has its addresses, and anew when they change, or what it must not reach. */
final class Proxy implements AutoCloseable {

    private static final String NAME = "dante";
    private static final Duration GRACE = Duration.ofSeconds(3);

    private final Settings settings;
    private final Optional<SockdFile> own;
    private final Dante dante;
    private final Journal journal;
    private Optional<Child> child = Optional.empty();
    private Optional<Start> started = Optional.empty();
    private Optional<String> awaited = Optional.empty();

    /**
     * What it was started with, and reads only once.
     *
     * @param external the tunnel's addresses
     * @param settings empty where the configuration is the user's own
     */
    private record Start(List<LinkAddress> external, Optional<DanteSettings> settings) {}

    /** @param own the user's own configuration, checked */
    Proxy(Surroundings around, Settings settings, Optional<SockdFile> own) {
        this.settings = settings;
        this.own = own;
        this.journal = around.journal();
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
        if (!settings.socks().enabled()) {
            return;
        }
        Start wanted = start(plan);
        if (child.isPresent() && started.equals(Optional.of(wanted))) {
            return;
        }
        close();
        started = Optional.of(wanted);
        ProxyProgram program = own.map(dante::prepare)
                .orElseGet(() -> dante.prepare(wanted.settings().orElseThrow()));
        awaited = program.readyText();
        child = Optional.of(supervisor.start(
                new ChildSpec(NAME, program.program(), program.args(), Map.of("LANG", "C.UTF-8"), GRACE)));
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

    private Start start(ExitNodePlan plan) {
        return new Start(
                plan.tunnelNetwork().addresses(), own.isPresent() ? Optional.empty() : Optional.of(usual(plan)));
    }

    private DanteSettings usual(ExitNodePlan plan) {
        List<Prefix> lan = ExitNodePlanner.lan(settings, plan.machine());
        return new DanteSettings(
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
    }

    @Override
    public void close() {
        child.ifPresent(Child::stop);
        child = Optional.empty();
        started.flatMap(Start::settings)
                .flatMap(dante::forget)
                .ifPresent(problem -> journal.problems(List.of(problem)));
        started = Optional.empty();
    }
}
