package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.dns.QueriesInFlight.Query;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class QueriesInFlightTest {

    private static final InetAddress LOCAL = InetAddress.ofLiteral("127.0.0.1");
    private static final InetAddress PHONE = InetAddress.ofLiteral("10.99.0.2");
    private static final InetAddress LAPTOP = InetAddress.ofLiteral("fd99::3");

    private final QueriesInFlight inFlight = new QueriesInFlight(6, 4);

    @Test
    void who_asks_too_much_loses_its_own_oldest() {
        List<Query> flood = admit(LOCAL, 7);

        assertThat(flood).extracting(Query::isGivenUp).containsExactly(true, true, true, false, false, false, false);
    }

    @Test
    void where_all_together_ask_too_much_the_one_with_the_most_gives_way() {
        List<Query> flood = admit(LOCAL, 4);
        List<Query> few = admit(PHONE, 2);
        List<Query> one = admit(LAPTOP, 1);

        assertThat(flood).extracting(Query::isGivenUp).containsExactly(true, false, false, false);
        assertThat(few).noneMatch(Query::isGivenUp);
        assertThat(one).noneMatch(Query::isGivenUp);
    }

    @Test
    void what_is_answered_makes_room() {
        admit(LOCAL, 4).forEach(Query::close);
        List<Query> next = admit(LOCAL, 4);
        next.getFirst().close();
        next.getFirst().close();
        List<Query> last = admit(LOCAL, 1);

        assertThat(next).noneMatch(Query::isGivenUp);
        assertThat(last).noneMatch(Query::isGivenUp);
    }

    @Test
    void programs_that_share_an_address_are_told_apart_by_their_sockets() {
        Query other = inFlight.admit(new InetSocketAddress(LOCAL, 40000));
        List<Query> flood = admit(LOCAL, 6);

        assertThat(other.isGivenUp()).isFalse();
        assertThat(flood).extracting(Query::isGivenUp).containsExactly(true, true, true, false, false, false);
    }

    private List<Query> admit(InetAddress client, int count) {
        return IntStream.range(0, count)
                .mapToObj(_ -> inFlight.admit(new InetSocketAddress(client, 50000)))
                .toList();
    }
}
