// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.dns.FairQueryQueue.Query;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FairQueryQueueTest {

    private static final InetAddress LOCAL = InetAddress.ofLiteral("127.0.0.1");
    private static final InetAddress PHONE = InetAddress.ofLiteral("10.99.0.2");
    private static final InetAddress LAPTOP = InetAddress.ofLiteral("fd99::3");

    private final FairQueryQueue inFlight = new FairQueryQueue(6, 4);

    @Test
    void a_client_with_too_many_queries_loses_its_oldest() {
        List<Query> local = admit(LOCAL, 7);

        assertThat(local).extracting(Query::isDropped).containsExactly(true, true, true, false, false, false, false);
    }

    @Test
    void if_all_clients_have_too_many_queries_the_one_with_the_most_loses_one() {
        List<Query> local = admit(LOCAL, 4);
        List<Query> few = admit(PHONE, 2);
        List<Query> one = admit(LAPTOP, 1);

        assertThat(local).extracting(Query::isDropped).containsExactly(true, false, false, false);
        assertThat(few).noneMatch(Query::isDropped);
        assertThat(one).noneMatch(Query::isDropped);
    }

    @Test
    void answered_queries_free_their_slots() {
        admit(LOCAL, 4).forEach(Query::close);
        List<Query> next = admit(LOCAL, 4);
        next.getFirst().close();
        next.getFirst().close();
        List<Query> last = admit(LOCAL, 1);

        assertThat(next).noneMatch(Query::isDropped);
        assertThat(last).noneMatch(Query::isDropped);
    }

    @Test
    void programs_that_share_an_address_are_distinguished_by_their_sockets() {
        Query other = inFlight.admit(new InetSocketAddress(LOCAL, 40000));
        List<Query> local = admit(LOCAL, 6);

        assertThat(other.isDropped()).isFalse();
        assertThat(local).extracting(Query::isDropped).containsExactly(true, true, true, false, false, false);
    }

    private List<Query> admit(InetAddress client, int count) {
        return IntStream.range(0, count)
                .mapToObj(_ -> inFlight.admit(new InetSocketAddress(client, 50000)))
                .toList();
    }
}
