// SPDX-License-Identifier: Apache-2.0
package io.culvert.dns;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;

/**
 * A cache of DNS responses, including negative ones (RFC 2308). Bounded in number and memory: the least recently
 * used is evicted first. Responses are kept in wire format, since their objects take many times that.
 */
final class ResponseCache {

    private static final int SECTIONS = Section.ADDITIONAL + 1;

    /** In seconds. TTLs of a day are usual, but a moved service should be reachable within an hour. */
    private static final long MAX_TTL = 3600;

    /** In seconds; RFC 2308 section 5 allows up to 3 hours, current resolvers some minutes. */
    private static final long MAX_NEGATIVE_TTL = 300;

    /** Of all responses together. */
    private static final int MAX_TOTAL_BYTES = 4 << 20;

    /** Larger responses are rare, and the owner of any zone could use them to fill the cache. */
    private static final int MAX_RESPONSE_BYTES = 8192;

    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final SequencedMap<DnsQuery, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
    private final int capacity;
    private final LongSupplier nanoTime;
    private int bytes;

    /** Creates an empty cache; the clock counts nanoseconds and is monotonic. */
    ResponseCache(int capacity, LongSupplier nanoTime) {
        this.capacity = capacity;
        this.nanoTime = nanoTime;
    }

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Entry(byte[] wire, long storedAt, long ttlSeconds) {}

    /** Returns the cached response with its remaining TTLs. */
    synchronized Optional<Message> get(DnsQuery query) {
        Entry entry = entries.get(query);
        if (entry == null) {
            return Optional.empty();
        }
        long age = (nanoTime.getAsLong() - entry.storedAt) / NANOS_PER_SECOND;
        if (age >= entry.ttlSeconds) {
            remove(query);
            return Optional.empty();
        }
        try {
            return Optional.of(withReducedTtls(new Message(entry.wire), age));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void put(DnsQuery query, Message response) {
        lifetime(response).ifPresent(seconds -> {
            byte[] wire = response.toWire();
            if (wire.length <= MAX_RESPONSE_BYTES) {
                store(query, new Entry(wire, nanoTime.getAsLong(), seconds));
            }
        });
    }

    private synchronized void store(DnsQuery query, Entry entry) {
        remove(query);
        entries.put(query, entry);
        bytes += entry.wire.length;
        while (entries.size() > capacity || bytes > MAX_TOTAL_BYTES) {
            remove(entries.sequencedKeySet().getFirst());
        }
    }

    private synchronized void remove(DnsQuery query) {
        Entry entry = entries.remove(query);
        if (entry != null) {
            bytes -= entry.wire.length;
        }
    }

    /** Returns the lifetime in seconds; empty if the response must not be cached. */
    private static OptionalLong lifetime(Message response) {
        int code = response.getRcode();
        boolean isNegative =
                code == Rcode.NXDOMAIN || response.getSection(Section.ANSWER).isEmpty();
        if (response.getHeader().getFlag(Flags.TC) || (code != Rcode.NOERROR && code != Rcode.NXDOMAIN)) {
            return OptionalLong.empty();
        }
        LongStream ttls = LongStream.empty();
        for (int section = Section.ANSWER; section < SECTIONS; section++) {
            ttls = LongStream.concat(
                    ttls,
                    response.getSection(section).stream()
                            .filter(record -> !(record instanceof OPTRecord))
                            .mapToLong(Record::getTTL));
        }
        if (isNegative) {
            // A negative response without the zone's SOA record is not cached (RFC 2308 section 5).
            long negativeTtl = response.getSection(Section.AUTHORITY).stream()
                    .filter(SOARecord.class::isInstance)
                    .mapToLong(soa -> ((SOARecord) soa).getMinimum())
                    .findFirst()
                    .orElse(0);
            ttls = LongStream.concat(ttls, LongStream.of(negativeTtl, MAX_NEGATIVE_TTL));
        }
        return ttls.min().stream()
                .map(seconds -> Math.min(seconds, MAX_TTL))
                .filter(seconds -> seconds > 0)
                .findFirst();
    }

    private static Message withReducedTtls(Message response, long age) {
        Message copy = new Message();
        copy.setHeader(response.getHeader().clone());
        for (int section = 0; section < SECTIONS; section++) {
            copy.removeAllRecords(section);
            for (Record record : response.getSection(section)) {
                boolean hasTtl = section != Section.QUESTION && !(record instanceof OPTRecord);
                copy.addRecord(hasTtl ? withTtl(record, Math.max(record.getTTL() - age, 0)) : record, section);
            }
        }
        return copy;
    }

    /** Records are immutable; in wire format the TTL follows the name, and type and class of two bytes each. */
    private static Record withTtl(Record record, long seconds) {
        byte[] wire = record.toWire(Section.ANSWER);
        ByteBuffer.wrap(wire).putInt(record.getName().length() + 4, (int) seconds);
        try {
            return Record.fromWire(wire, Section.ANSWER);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
