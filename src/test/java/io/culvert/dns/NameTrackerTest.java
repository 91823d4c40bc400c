// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.net.Host;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class NameTrackerTest {

    private static final Host.Name SERVER = new Host.Name("vpn.example.com");
    private static final Host.Name OTHER = new Host.Name("other.example.com");
    private static final InetAddress IPV4 = InetAddress.ofLiteral("192.0.2.10");
    private static final InetAddress IPV6 = InetAddress.ofLiteral("2001:db8::10");

    @Test
    void a_server_is_tried_at_all_its_addresses() throws InterruptedException {
        BlockingQueue<String> changes = new LinkedBlockingQueue<>();
        try (NameTracker tracker = new NameTracker(
                _ -> new ResolutionResult(List.of(IPV4, IPV6), Duration.ofHours(1), true, List.of()),
                TrackingPolicy.BY_TTL,
                () -> changes.add("changed"))) {
            tracker.track(Set.of(SERVER, OTHER));
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();

            tracker.useNextAddresses(Set.of(SERVER));

            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(tracker.addressesByName().get(SERVER)).containsExactly(IPV6, IPV4);
            assertThat(tracker.addressesByName().get(OTHER)).containsExactly(IPV4, IPV6);
            tracker.useNextAddresses(Set.of(SERVER));
            assertThat(tracker.addressesByName().get(SERVER)).containsExactly(IPV4, IPV6);
        }
    }

    @Test
    void a_slow_resolver_does_not_delay_other_names() throws InterruptedException {
        BlockingQueue<String> changes = new LinkedBlockingQueue<>();
        CountDownLatch answered = new CountDownLatch(1);
        try (NameTracker tracker = new NameTracker(
                name -> {
                    if (name.equals(SERVER)) {
                        try {
                            answered.await();
                        } catch (InterruptedException _) {
                            Thread.currentThread().interrupt();
                        }
                    }
                    return new ResolutionResult(List.of(IPV4), Duration.ofHours(1), true, List.of());
                },
                TrackingPolicy.BY_TTL,
                () -> changes.add("changed"))) {
            tracker.track(Set.of(SERVER));
            tracker.track(Set.of(SERVER, OTHER));
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(tracker.addressesByName()).containsOnlyKeys(OTHER);

            answered.countDown();
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(tracker.addressesByName()).containsOnlyKeys(SERVER, OTHER);
        }
    }

    @Test
    void a_single_address_is_kept_without_notification() throws InterruptedException {
        BlockingQueue<String> changes = new LinkedBlockingQueue<>();
        try (NameTracker tracker = new NameTracker(
                _ -> new ResolutionResult(List.of(IPV4), Duration.ofHours(1), true, List.of()),
                TrackingPolicy.BY_TTL,
                () -> changes.add("changed"))) {
            tracker.track(Set.of(SERVER));
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();

            tracker.useNextAddresses(Set.of(SERVER, OTHER));

            assertThat(changes).isEmpty();
            assertThat(tracker.addressesByName().get(SERVER)).containsExactly(IPV4);
        }
    }

    @Test
    void results_of_the_caller_are_known_at_once_and_not_reported() throws InterruptedException {
        BlockingQueue<String> changes = new LinkedBlockingQueue<>();
        try (NameTracker tracker = new NameTracker(
                _ -> ResolutionResult.withoutTtl(List.of(IPV6)),
                TrackingPolicy.ON_REQUEST,
                () -> changes.add("changed"))) {
            tracker.track(
                    Map.of(SERVER, ResolutionResult.withoutTtl(List.of(IPV4)), OTHER, ResolutionResult.NO_RESPONSE));
            assertThat(tracker.addressesByName()).isEqualTo(Map.of(SERVER, List.of(IPV4)));
            assertThat(changes).isEmpty();

            tracker.checkNow();

            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(tracker.addressesByName()).isEqualTo(Map.of(SERVER, List.of(IPV6), OTHER, List.of(IPV6)));
        }
    }
}
