package io.culvert.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.culvert.device.DeviceState.PeerState;
import io.culvert.migration.Course.Answer;
import io.culvert.migration.Standing.State;
import io.culvert.migration.Way.Reach;
import io.culvert.wireguard.PublicKey;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class CourseTest {

    private static final InetSocketAddress LAN = new InetSocketAddress("192.168.7.5", 51820);
    private static final InetSocketAddress PUBLIC = new InetSocketAddress("203.0.113.5", 51820);
    private static final InetSocketAddress BACKUP = new InetSocketAddress("198.51.100.5", 51820);
    private static final InetSocketAddress CAFE = new InetSocketAddress("192.0.2.77", 40000);

    private final Course course = new Course().follow(List.of(LAN, PUBLIC));
    private final Map<InetSocketAddress, Way> ways = new HashMap<>();
    private final List<Step> steps = new ArrayList<>();
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private Optional<InetSocketAddress> endpoint = Optional.of(PUBLIC);
    private long received;
    private long sent;

    /** The real endpoint of the peer. */
    private Optional<InetSocketAddress> truth = Optional.of(PUBLIC);

    private boolean answersEverywhere;

    CourseTest() {
        away();
    }

    private void away() {
        ways.put(LAN, new Way(Reach.FAR, "1 by router"));
        ways.put(PUBLIC, new Way(Reach.FAR, "1 by router"));
        ways.put(BACKUP, new Way(Reach.FAR, "1 by router"));
        ways.put(CAFE, new Way(Reach.FAR, "1 by router"));
    }

    private void home(String neighbour) {
        ways.put(LAN, new Way(Reach.NEAR, "1 by " + neighbour));
    }

    /** Runs one step per second for a while, with the results that the simulated network gives. */
    private List<Step> pass(Duration time) {
        steps.clear();
        for (long second = 0; second < time.toSeconds(); second++) {
            now = now.plusSeconds(1);
            look();
        }
        return List.copyOf(steps);
    }

    private Optional<Step> look() {
        Optional<Step> next = course.next(peer(), this::way, now);
        next.ifPresent(step -> {
            steps.add(step);
            Answer answer = switch (step) {
                case Step.Check() -> answers(endpoint) ? Answer.ECHO : Answer.NONE;
                case Step.Visit(InetSocketAddress to) -> {
                    if (answers(Optional.of(to))) {
                        endpoint = Optional.of(to);
                        yield Answer.ECHO;
                    }
                    yield Answer.NONE;
                }
                case Step.Leave(InetSocketAddress to) -> {
                    endpoint = Optional.of(to);
                    yield Answer.NONE;
                }
            };
            course.done(step, answer, this::way, now);
        });
        return next;
    }

    private boolean answers(Optional<InetSocketAddress> place) {
        return answersEverywhere || (place.isPresent() && place.equals(truth));
    }

    private Way way(InetSocketAddress place) {
        return ways.getOrDefault(place, Way.NONE);
    }

    private PeerState peer() {
        return new PeerState(
                new PublicKey(new byte[32]), false, endpoint, Optional.of(now), received, sent, 25, List.of());
    }

    private void exchange() {
        received += 10_000;
        sent += 10_000;
    }

    @Test
    void stays_where_it_is_while_nobody_is_nearer() {
        assertThat(pass(Duration.ofMinutes(10))).isEmpty();
        assertThat(course.standing().state()).isEqualTo(State.FALLBACK);
    }

    @Test
    void visits_the_preferred_place_as_soon_as_somebody_there_answers_and_stays_if_it_is_the_peer() {
        home("peer");
        answersEverywhere = true;

        assertThat(pass(Duration.ofMinutes(10))).containsExactly(new Step.Visit(LAN));
        assertThat(course.standing().state()).isEqualTo(State.PREFERRED);
        assertThat(course.standing().moves()).isEqualTo(1);
    }

    @Test
    void a_lying_place_costs_one_visit_and_then_ever_fewer() {
        home("liar");

        assertThat(pass(Duration.ofSeconds(25))).containsExactly(new Step.Visit(LAN));
        assertThat(pass(Duration.ofSeconds(10))).hasSize(1);
        assertThat(pass(Duration.ofSeconds(50))).isEmpty();
        assertThat(pass(Duration.ofDays(1)).size()).isLessThan(35);
        assertThat(course.standing().state()).isEqualTo(State.FALLBACK);
        assertThat(course.standing().moves()).isZero();
    }

    @Test
    void the_peer_in_place_of_a_liar_is_visited_at_once() {
        home("liar");
        pass(Duration.ofMinutes(1));
        home("peer");
        truth = Optional.of(LAN);

        assertThat(pass(Duration.ofSeconds(3))).containsExactly(new Step.Visit(LAN));
        assertThat(endpoint).contains(LAN);
    }

    @Test
    void when_the_link_goes_it_leaves_at_once_and_makes_sure() {
        home("peer");
        answersEverywhere = true;
        pass(Duration.ofSeconds(5));
        away();

        assertThat(pass(Duration.ofSeconds(5))).containsExactly(new Step.Leave(PUBLIC), new Step.Check());
        assertThat(course.standing().state()).isEqualTo(State.FALLBACK);
    }

    @Test
    void when_the_peer_has_gone_from_the_link_what_is_sent_stays_unanswered_and_other_places_are_asked() {
        home("peer");
        answersEverywhere = true;
        pass(Duration.ofSeconds(5));
        answersEverywhere = false;
        sent += 5000;

        assertThat(pass(Duration.ofSeconds(20))).containsSubsequence(new Step.Check(), new Step.Visit(PUBLIC));
        assertThat(endpoint).contains(PUBLIC);
        assertThat(course.standing().state()).isEqualTo(State.FALLBACK);
    }

    @Test
    void a_link_that_comes_and_goes_is_trusted_ever_later() {
        answersEverywhere = true;
        int moves = 0;
        for (int i = 0; i < 200; i++) {
            home("peer");
            pass(Duration.ofSeconds(3));
            away();
            moves += pass(Duration.ofSeconds(3)).size();
        }
        assertThat(course.standing().moves()).isLessThan(50);
        assertThat(moves).isLessThan(50);
    }

    @Test
    void one_way_traffic_is_answered_by_an_echo_and_nothing_is_moved() {
        for (int i = 0; i < 100; i++) {
            sent += 100_000;
            pass(Duration.ofSeconds(1)).forEach(step -> assertThat(step).isEqualTo(new Step.Check()));
        }
        assertThat(course.standing().moves()).isZero();
    }

    @Test
    void where_it_roams_to_by_itself_it_is_left_while_it_answers() {
        course.follow(List.of(LAN, PUBLIC, BACKUP));
        pass(Duration.ofSeconds(5));
        endpoint = Optional.of(CAFE);
        truth = endpoint;

        assertThat(pass(Duration.ofHours(1))).isEmpty();
        assertThat(course.standing().state()).isEqualTo(State.ROAMED);
        assertThat(course.standing().rank()).isZero();

        truth = Optional.of(BACKUP);
        sent += 5000;
        pass(Duration.ofMinutes(1));

        assertThat(endpoint).contains(BACKUP);
    }

    @Test
    void a_peer_that_is_nowhere_is_called_at_home_and_looked_for_now_and_then() {
        course.follow(List.of(LAN, PUBLIC, BACKUP));
        home("peer");
        answersEverywhere = true;
        pass(Duration.ofSeconds(5));
        answersEverywhere = false;
        truth = Optional.empty();
        sent += 5000;

        assertThat(pass(Duration.ofMinutes(10)).size()).isBetween(10, 60);
        assertThat(endpoint).contains(PUBLIC);
        assertThat(course.standing().state()).isEqualTo(State.LOST);

        received += 100;
        pass(Duration.ofSeconds(1));
        assertThat(course.standing().state()).isEqualTo(State.FALLBACK);
    }

    @Test
    void a_preferred_place_behind_a_router_is_tried_seldom_and_only_while_hardly_anything_is_exchanged() {
        course.follow(List.of(PUBLIC, BACKUP));
        endpoint = Optional.of(BACKUP);
        truth = Optional.of(BACKUP);
        for (int i = 0; i < 900; i++) {
            exchange();
            assertThat(pass(Duration.ofSeconds(1))).isEmpty();
        }
        assertThat(pass(Duration.ofHours(1)).size()).isBetween(1, 7);
        truth = Optional.of(PUBLIC);
        pass(Duration.ofHours(2));
        assertThat(endpoint).contains(PUBLIC);
    }

    @Test
    void two_who_prefer_different_links_come_to_rest() {
        // Each probe succeeds, and each time the other side changes the endpoint to the one that it prefers.
        InetSocketAddress wifi = new InetSocketAddress("192.168.8.5", 51820);
        course.follow(List.of(LAN, wifi, PUBLIC));
        home("peer");
        ways.put(wifi, new Way(Reach.NEAR, "2 by peer"));
        answersEverywhere = true;
        for (int i = 0; i < 600; i++) {
            pass(Duration.ofSeconds(1));
            endpoint = Optional.of(wifi);
        }
        assertThat(course.standing().moves()).isLessThan(12);
    }

    @Test
    void the_first_place_is_somebody_near_else_one_that_is_found_from_everywhere() {
        List<InetSocketAddress> places = List.of(LAN, PUBLIC);
        assertThat(Course.first(places, this::way)).contains(PUBLIC);
        home("peer");
        assertThat(Course.first(places, this::way)).contains(LAN);
        assertThat(Course.first(List.of(LAN), _ -> Way.NONE)).contains(LAN);
        assertThat(Course.first(List.of(), this::way)).isEmpty();
    }

    /** In any case, a wrong endpoint is corrected soon, and only candidates are used. */
    @RepeatedTest(200)
    void in_any_world_it_ends_where_the_peer_is(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        List<InetSocketAddress> places = List.of(LAN, PUBLIC, BACKUP);
        course.follow(places);
        for (int i = 0; i < 100; i++) {
            switch (random.nextInt(6)) {
                case 0 -> home("peer");
                case 1 -> away();
                case 2 -> ways.put(PUBLIC, Way.NONE);
                case 3 -> truth = Optional.of(places.get(random.nextInt(3)));
                case 4 -> truth = Optional.empty();
                default -> home("liar" + random.nextInt(3));
            }
            for (int second = random.nextInt(20); second > 0; second--) {
                sent += 500;
                received += answers(endpoint) ? 500 : 0;
                pass(Duration.ofSeconds(1)).forEach(step -> {
                    if (step instanceof Step.Visit(InetSocketAddress to)) {
                        assertThat(places).contains(to);
                    }
                });
            }
        }
        away();
        truth = Optional.of(BACKUP);
        for (int second = 0; second < 200; second++) {
            sent += 500;
            received += answers(endpoint) ? 500 : 0;
            pass(Duration.ofSeconds(1));
        }
        assertThat(endpoint).contains(BACKUP);
    }
}
