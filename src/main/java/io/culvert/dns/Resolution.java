package io.culvert.dns;

import io.culvert.problem.Problem;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;

/**
 * What became of a name.
 *
 * @param addresses in the order of the answers, without those that are forbidden; empty when nothing usable is known
 * @param life how long this is good for
 * @param fresh false when nobody answered and these are the last good addresses, or none
 * @param problems why there are none, or fewer, or old ones
 */
public record Resolution(List<InetAddress> addresses, Duration life, boolean fresh, List<Problem> problems) {

    public Resolution {
        addresses = List.copyOf(addresses);
        problems = List.copyOf(problems);
    }
}
