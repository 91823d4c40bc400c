// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.dns.ResolutionResult;
import io.culvert.net.Host;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(ReplaceUnderscores.class)
class TrackedNamesTest {

    private static final Host.Name SERVER = new Host.Name("vpn.example.com");
    private static final Host.Name OTHER = new Host.Name("other.example.com");
    private static final InetAddress IPV4 = InetAddress.ofLiteral("192.0.2.10");
    private static final InetAddress IPV6 = InetAddress.ofLiteral("2001:db8::10");

    @Test
    void a_server_is_tried_at_all_its_addresses() throws InterruptedException {
        BlockingQueue<String> changes = new LinkedBlockingQueue<>();
        try (TrackedNames follower = new TrackedNames(
                _ -> new ResolutionResult(List.of(IPV4, IPV6), Duration.ofHours(1), true, List.of()),
                () -> changes.add("changed"))) {
            follower.track(Set.of(SERVER, OTHER));
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();

            follower.useNextAddresses(Set.of(SERVER));

            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(follower.known().get(SERVER)).containsExactly(IPV6, IPV4);
            assertThat(follower.known().get(OTHER)).containsExactly(IPV4, IPV6);
            follower.useNextAddresses(Set.of(SERVER));
            assertThat(follower.known().get(SERVER)).containsExactly(IPV4, IPV6);
        }
    }

    @Test
    void a_slow_resolver_does_not_delay_other_names() throws InterruptedException {
        BlockingQueue<String> changes = new LinkedBlockingQueue<>();
        CountDownLatch answered = new CountDownLatch(1);
        try (TrackedNames follower = new TrackedNames(
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
                () -> changes.add("changed"))) {
            follower.track(Set.of(SERVER));
            follower.track(Set.of(SERVER, OTHER));
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(follower.known()).containsOnlyKeys(OTHER);

            answered.countDown();
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();
            assertThat(follower.known()).containsOnlyKeys(SERVER, OTHER);
        }
    }

    @Test
    void a_single_address_is_kept_without_notification() throws InterruptedException {
        BlockingQueue<String> changes = new LinkedBlockingQueue<>();
        try (TrackedNames follower = new TrackedNames(
                _ -> new ResolutionResult(List.of(IPV4), Duration.ofHours(1), true, List.of()),
                () -> changes.add("changed"))) {
            follower.track(Set.of(SERVER));
            assertThat(changes.poll(10, TimeUnit.SECONDS)).isNotNull();

            follower.useNextAddresses(Set.of(SERVER, OTHER));

            assertThat(changes).isEmpty();
            assertThat(follower.known().get(SERVER)).containsExactly(IPV4);
        }
    }
}
