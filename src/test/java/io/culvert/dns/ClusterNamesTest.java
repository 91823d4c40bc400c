// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.dns.ClusterNames.Decision;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.Name;

class ClusterNamesTest {

    private static final List<String> SEARCH =
            List.of("vpn.svc.cluster.local.", "svc.cluster.local.", "cluster.local.", "corp.example.");

    private final AtomicLong seconds = new AtomicLong();
    private final ClusterNames names = new ClusterNames(
            name("cluster.local."),
            SEARCH.stream().map(ClusterNamesTest::name).toList(),
            TopLevelDomains.read(),
            () -> seconds.get() * 1_000_000_000L);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "example.org",
                "www.example.org",
                "secret.www.example.org",
                "a.b.c.d.example.co.uk",
                "_xmpp-client._tcp.example.org",
                "_dmarc.example.org",
                "1-2-3-4.example.org",
                "web.dev",
                "example.xn--p1ai",
                "WWW.Example.ORG"
            })
    void an_internet_name_is_never_sent_to_the_cluster(String written) {
        assertThat(decisions(written))
                .allSatisfy(decision -> assertThat(decision).isInstanceOf(Decision.Absent.class));
    }

    @Test
    void a_possible_internet_name_is_sent_to_the_cluster_only_if_it_does_not_exist_there() {
        assertThat(decisions("printer.home"))
                .containsExactly(
                        new Decision.Forward(List.of(name("printer.home."))),
                        new Decision.Forward(List.of(name("printer.home."))),
                        new Decision.Absent());
    }

    @Test
    void a_service_of_the_pods_namespace_has_one_label() {
        assertThat(decisions("db")).containsExactly(forward(), new Decision.Absent(), new Decision.Absent());
    }

    @Test
    void a_service_of_another_namespace_has_two_labels() {
        assertThat(decide("kubernetes.default.vpn.svc.cluster.local."))
                .isEqualTo(new Decision.Forward(List.of(name("kubernetes.default."))));
        assertThat(decide("kubernetes.default.svc.cluster.local."))
                .isEqualTo(new Decision.Forward(List.of(name("kubernetes.default."))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "web.dev.svc",
                "web.dev.svc.cluster.local",
                "redis.data.svc",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
                "mysql-0.mysql.prod.svc",
                "_https._tcp.web.dev.svc",
                "10-1-2-3.default.pod",
                "2001-db8--1.default.pod"
            })
    void a_name_written_for_the_cluster_is_sent_only_to_the_cluster(String written) {
        List<Decision> decisions = decisions(written);
        Decision last = written.endsWith("cluster.local") ? decide(written + ".") : decisions.get(2);

        assertThat(last).isEqualTo(forward());
        assertThat(decisions.getFirst()).isEqualTo(new Decision.Absent());
    }

    @Test
    void a_service_of_the_pods_namespace_is_found_even_if_the_name_exists_on_the_internet() {
        ClusterNames own = new ClusterNames(
                name("cluster.local."),
                List.of(name("dev.svc.cluster.local."), name("svc.cluster.local."), name("cluster.local.")),
                TopLevelDomains.read(),
                () -> 0);

        assertThat(own.decide(name("web.dev.svc.cluster.local."))).isEqualTo(forward());
        // Now it is written as a name of the internet.
        own.decide(name("web.dev.dev.svc.cluster.local."));
        assertThat(own.decide(name("web.dev.svc.cluster.local."))).isEqualTo(new Decision.Absent());
    }

    @Test
    void recent_queries_expire() {
        decide("web.dev.svc.vpn.svc.cluster.local.");
        seconds.set(60);
        assertThat(decide("web.dev.svc.cluster.local.")).isEqualTo(new Decision.Absent());
    }

    @Test
    void the_cluster_domain_and_its_parts_exist_without_records() {
        assertThat(Stream.of("cluster.local.", "svc.cluster.local.", "pod.cluster.local.")
                        .map(this::decide))
                .containsOnly(new Decision.Empty());
        assertThat(decide("dns-version.cluster.local.")).isEqualTo(forward());
        assertThat(decide("vpn.svc.cluster.local.")).isEqualTo(new Decision.Absent());
    }

    @Test
    void names_of_maximum_length_are_handled() {
        String label = "a".repeat(63);
        assertThat(decide(label + "." + label + "." + label + ".svc.cluster.local."))
                .isInstanceOf(Decision.Forward.class);
    }

    /** Returns how a name is answered when a resolver library tries it with each domain of the search list. */
    private List<Decision> decisions(String written) {
        return SEARCH.stream()
                .filter(domain -> domain.endsWith("cluster.local."))
                .map(domain -> decide(written + "." + domain))
                .toList();
    }

    private Decision decide(String name) {
        return names.decide(name(name));
    }

    private static Decision forward() {
        return new Decision.Forward(List.of());
    }

    private static Name name(String text) {
        return Name.fromConstantString(text);
    }
}
