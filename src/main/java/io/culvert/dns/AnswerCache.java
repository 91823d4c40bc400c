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
final class AnswerCache {

    private static final int SECTIONS = Section.ADDITIONAL + 1;

    /** In seconds. TTLs of a day are usual, but a moved service should be found within an hour. */
    private static final long LONGEST = 3600;

    /** In seconds; RFC 2308 section 5 allows up to 3 hours, current resolvers some minutes. */
    private static final long LONGEST_NEGATIVE = 300;

    /** Of all responses together. */
    private static final int MOST_BYTES = 4 << 20;

    /** Larger responses are rare, and any owner of a zone can create them to fill the cache. */
    private static final int LARGEST = 8192;

    private static final long SECOND = 1_000_000_000L;

    private final SequencedMap<Question, Kept> entries = new LinkedHashMap<>(16, 0.75f, true);
    private final int capacity;
    private final LongSupplier nanoTime;
    private int bytes;

    /** Creates an empty cache; the clock counts nanoseconds and is monotonic. */
    AnswerCache(int capacity, LongSupplier nanoTime) {
        this.capacity = capacity;
        this.nanoTime = nanoTime;
    }

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Kept(byte[] wire, long since, long seconds) {}

    /** Returns the cached response with its remaining TTLs. */
    synchronized Optional<Message> get(Question question) {
        Kept entry = entries.get(question);
        if (entry == null) {
            return Optional.empty();
        }
        long age = (nanoTime.getAsLong() - entry.since) / SECOND;
        if (age >= entry.seconds) {
            remove(question);
            return Optional.empty();
        }
        try {
            return Optional.of(aged(new Message(entry.wire), age));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void put(Question question, Message answer) {
        lifetime(answer).ifPresent(seconds -> {
            byte[] wire = answer.toWire();
            if (wire.length <= LARGEST) {
                keep(question, new Kept(wire, nanoTime.getAsLong(), seconds));
            }
        });
    }

    private synchronized void keep(Question question, Kept entry) {
        remove(question);
        entries.put(question, entry);
        bytes += entry.wire.length;
        while (entries.size() > capacity || bytes > MOST_BYTES) {
            remove(entries.sequencedKeySet().getFirst());
        }
    }

    private synchronized void remove(Question question) {
        Kept entry = entries.remove(question);
        if (entry != null) {
            bytes -= entry.wire.length;
        }
    }

    /** Returns the lifetime in seconds; empty if the response must not be cached. */
    private static OptionalLong lifetime(Message answer) {
        int code = answer.getRcode();
        boolean nothingThere =
                code == Rcode.NXDOMAIN || answer.getSection(Section.ANSWER).isEmpty();
        if (answer.getHeader().getFlag(Flags.TC) || (code != Rcode.NOERROR && code != Rcode.NXDOMAIN)) {
            return OptionalLong.empty();
        }
        LongStream lives = LongStream.empty();
        for (int section = Section.ANSWER; section < SECTIONS; section++) {
            lives = LongStream.concat(
                    lives,
                    answer.getSection(section).stream()
                            .filter(record -> !(record instanceof OPTRecord))
                            .mapToLong(Record::getTTL));
        }
        if (nothingThere) {
            // A negative response without the zone's SOA record is not cached (RFC 2308 section 5).
            long zone = answer.getSection(Section.AUTHORITY).stream()
                    .filter(SOARecord.class::isInstance)
                    .mapToLong(soa -> ((SOARecord) soa).getMinimum())
                    .findFirst()
                    .orElse(0);
            lives = LongStream.concat(lives, LongStream.of(zone, LONGEST_NEGATIVE));
        }
        return lives.min().stream()
                .map(seconds -> Math.min(seconds, LONGEST))
                .filter(seconds -> seconds > 0)
                .findFirst();
    }

    private static Message aged(Message answer, long age) {
        Message copy = new Message();
        copy.setHeader(answer.getHeader().clone());
        for (int section = 0; section < SECTIONS; section++) {
            copy.removeAllRecords(section);
            for (Record record : answer.getSection(section)) {
                boolean lives = section != Section.QUESTION && !(record instanceof OPTRecord);
                copy.addRecord(lives ? withLife(record, Math.max(record.getTTL() - age, 0)) : record, section);
            }
        }
        return copy;
    }

    /** Records are immutable; in wire format the TTL follows the name, and type and class of two bytes each. */
    private static Record withLife(Record record, long seconds) {
        byte[] wire = record.toWire(Section.ANSWER);
        ByteBuffer.wrap(wire).putInt(record.getName().length() + 4, (int) seconds);
        try {
            return Record.fromWire(wire, Section.ANSWER);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
