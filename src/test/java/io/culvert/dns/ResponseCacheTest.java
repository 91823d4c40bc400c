// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

class ResponseCacheTest {

    private static final DnsQuery WWW = ScriptedServer.query("www.example.net.", Type.A);

    private final AtomicLong seconds = new AtomicLong();
    private final ResponseCache cache = new ResponseCache(2, () -> TimeUnit.SECONDS.toNanos(seconds.get()));

    @Test
    void an_answer_is_cached_for_its_lowest_TTL_and_the_returned_TTLs_decrease() {
        cache.put(WWW, answer("www.example.net. 300 CNAME web.example.net.", "web.example.net. 60 A 192.0.2.80"));

        seconds.set(59);
        assertThat(cache.get(WWW))
                .hasValueSatisfying(message -> assertThat(message.getSection(Section.ANSWER))
                        .extracting(Record::getTTL)
                        .containsExactly(241L, 1L));
        seconds.set(60);
        assertThat(cache.get(WWW)).isEmpty();
    }

    @Test
    void names_are_compared_without_regard_to_case() {
        cache.put(WWW, answer("www.example.net. 60 A 192.0.2.80"));

        assertThat(cache.get(ScriptedServer.query("WWW.Example.NET.", Type.A))).isPresent();
    }

    @Test
    void a_negative_answer_is_cached_for_the_minimum_TTL_of_the_SOA_record() {
        Message nothing = answer();
        nothing.getHeader().setRcode(Rcode.NXDOMAIN);
        nothing.addRecord(
                ScriptedServer.record("example.net. 900 SOA ns.example.net. host.example.net. 1 2 3 4 30"),
                Section.AUTHORITY);
        cache.put(WWW, nothing);

        seconds.set(29);
        assertThat(cache.get(WWW))
                .hasValueSatisfying(message -> assertThat(message.getRcode()).isEqualTo(Rcode.NXDOMAIN));
        seconds.set(30);
        assertThat(cache.get(WWW)).isEmpty();
    }

    @Test
    void truncated_and_failed_answers_are_not_cached() {
        Message cut = answer("www.example.net. 60 A 192.0.2.80");
        cut.getHeader().setFlag(Flags.TC);
        Message failure = answer();
        failure.getHeader().setRcode(Rcode.SERVFAIL);

        for (Message message : new Message[] {cut, failure, answer(), answer("www.example.net. 0 A 192.0.2.80")}) {
            cache.put(WWW, message);
            assertThat(cache.get(WWW)).isEmpty();
        }
    }

    @Test
    void the_cache_limits_the_memory_of_large_answers() {
        ResponseCache many = new ResponseCache(100_000, () -> 0);
        String[] records = IntStream.range(0, 400)
                .mapToObj(i -> "www.example.net. 60 A 10.1." + i / 200 + "." + i % 200)
                .toArray(String[]::new);
        int cached = 0;
        for (int i = 0; i < 2000; i++) {
            many.put(ScriptedServer.query("n" + i + ".example.net.", Type.A), answer(records));
        }
        for (int i = 0; i < 2000; i++) {
            cached += many.get(ScriptedServer.query("n" + i + ".example.net.", Type.A))
                            .isPresent()
                    ? 1
                    : 0;
        }
        assertThat(cached).isBetween(100, 1000);
        assertThat(many.get(ScriptedServer.query("n1999.example.net.", Type.A)))
                .hasValueSatisfying(message ->
                        assertThat(message.getSection(Section.ANSWER)).hasSize(400));

        String[] largeAnswer = IntStream.range(0, 4000)
                .mapToObj(i -> "www.example.net. 60 A 10.2." + i / 200 + "." + i % 200)
                .toArray(String[]::new);
        many.put(WWW, answer(largeAnswer));
        assertThat(many.get(WWW)).isEmpty();
    }

    @Test
    void the_least_recently_used_entry_is_evicted() {
        DnsQuery a = ScriptedServer.query("a.example.net.", Type.A);
        DnsQuery b = ScriptedServer.query("b.example.net.", Type.A);
        cache.put(a, answer("a.example.net. 60 A 192.0.2.1"));
        cache.put(b, answer("b.example.net. 60 A 192.0.2.2"));
        assertThat(cache.get(a)).isPresent();

        cache.put(WWW, answer("www.example.net. 60 A 192.0.2.80"));

        assertThat(cache.get(a)).isPresent();
        assertThat(cache.get(b)).isEmpty();
    }

    private static Message answer(String... records) {
        return ScriptedServer.answer(WWW.message(1), records);
    }
}
