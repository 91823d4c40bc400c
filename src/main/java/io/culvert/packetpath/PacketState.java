// SPDX-License-Identifier: Apache-2.0
package io.culvert.packetpath;

import io.culvert.net.Family;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A packet and what the kernel keeps about it, at one point of its path. Rules change it.
 *
 * @param <B> a proposition about the packets at the beginning of their path
 */
final class PacketState<B> {

    /** {@code NF_CT_STATE_*}: the values of {@link #connectionState}. */
    static final int INVALID = 0;

    static final int ESTABLISHED = 1;
    static final int RELATED = 2;
    static final int NEW = 3;
    static final int UNTRACKED = 4;

    static final int STATE_BITS = 3;
    static final int MARK_BITS = 32;

    /** The longest transport header without options that is modelled: TCP's. */
    private static final int TRANSPORT_BYTES = 20;

    private static final int TCP_FLAGS_OFFSET = 13;

    private final Logic<B> logic;
    private final Family family;
    private final List<B> network;
    private final List<B> transport = new ArrayList<>();

    /** What is read of a packet and is not modelled: the same each time. */
    private final Map<String, List<B>> others;

    private List<B> mark;
    private List<B> inputLink;
    private List<B> outputLink;
    private @Nullable List<B> inputName;
    private @Nullable List<B> outputName;
    private B isReply;
    private List<B> connectionState;
    private List<B> connectionMark;
    private B isLaterFragment;
    private final boolean hasSocket;
    private final List<B> user;
    private B isDestinationChanged;
    private B isSourceChanged;
    private B isMarkChanged;

    /** @param hasSocket whether a local process sends it */
    PacketState(Logic<B> logic, PacketFields<B> fields, Links links, boolean hasSocket) {
        this.logic = logic;
        this.family = fields.family();
        this.hasSocket = hasSocket;
        this.others = new HashMap<>();
        int headerBits = family == Family.IPV4 ? 160 : 320;
        network = new ArrayList<>(logic.unknown(headerBits - 2 * family.bits() - Byte.SIZE));
        network.addAll(protocolStart(), fields.protocol());
        network.addAll(sourceStart(), fields.source());
        network.addAll(sourceStart() + family.bits(), fields.destination());
        transport.addAll(fields.ports());
        transport.addAll(logic.unknown((TCP_FLAGS_OFFSET - 4) * Byte.SIZE));
        transport.addAll(fields.tcpFlags());
        transport.addAll(logic.unknown((TRANSPORT_BYTES - TCP_FLAGS_OFFSET - 1) * Byte.SIZE));
        mark = fields.mark();
        isReply = fields.isReply();
        connectionState = fields.connectionState();
        connectionMark = fields.connectionMark();
        isLaterFragment = fields.isLaterFragment();
        user = fields.user();
        isDestinationChanged = logic.no();
        isSourceChanged = logic.no();
        isMarkChanged = logic.no();
        inputLink = links.none(logic);
        outputLink = links.none(logic);
    }

    private PacketState(PacketState<B> other) {
        logic = other.logic;
        family = other.family;
        network = new ArrayList<>(other.network);
        transport.addAll(other.transport);
        others = other.others;
        mark = other.mark;
        inputLink = other.inputLink;
        outputLink = other.outputLink;
        inputName = other.inputName;
        outputName = other.outputName;
        isReply = other.isReply;
        connectionState = other.connectionState;
        connectionMark = other.connectionMark;
        isLaterFragment = other.isLaterFragment;
        hasSocket = other.hasSocket;
        user = other.user;
        isDestinationChanged = other.isDestinationChanged;
        isSourceChanged = other.isSourceChanged;
        isMarkChanged = other.isMarkChanged;
    }

    PacketState<B> copy() {
        return new PacketState<>(this);
    }

    private int sourceStart() {
        return (family == Family.IPV4 ? 12 : 8) * Byte.SIZE;
    }

    /** In both families before the addresses. */
    private int protocolStart() {
        return (family == Family.IPV4 ? 9 : 6) * Byte.SIZE;
    }

    Family family() {
        return family;
    }

    boolean hasSocket() {
        return hasSocket;
    }

    List<B> source() {
        return List.copyOf(network.subList(sourceStart(), sourceStart() + family.bits()));
    }

    List<B> destination() {
        int start = sourceStart() + family.bits();
        return List.copyOf(network.subList(start, start + family.bits()));
    }

    List<B> protocol() {
        return List.copyOf(network.subList(protocolStart(), protocolStart() + Byte.SIZE));
    }

    List<B> sourcePort() {
        return List.copyOf(transport.subList(0, 16));
    }

    List<B> destinationPort() {
        return List.copyOf(transport.subList(16, 32));
    }

    /**
     * Sets the source address. One that is not known replaces that of all packets, which covers more than may happen, because
     * diagrams of the condition and of 128 bits together would be large, and hardly any rule comes after it.
     */
    void setSource(B where, List<B> address) {
        isSourceChanged = logic.or(isSourceChanged, where);
        set(isConstant(address) ? where : logic.yes(), network, sourceStart(), address);
    }

    /** Gives all packets another destination. */
    void setDestination(List<B> address, Optional<List<B>> port) {
        set(logic.yes(), network, sourceStart() + family.bits(), address);
        port.ifPresent(it -> set(logic.yes(), transport, 16, it));
    }

    void setSourcePort(B where, List<B> port) {
        set(isConstant(port) ? where : logic.yes(), transport, 0, port);
    }

    /** Returns bits of the network header; of what is behind the fixed one, unknown ones. */
    List<B> network(int bit, int bits) {
        return slice("network", network, bit, bits);
    }

    List<B> transport(int bit, int bits) {
        return slice("transport", transport, bit, bits);
    }

    void setNetwork(B where, int bit, List<B> value) {
        if (bit + value.size() > sourceStart()) {
            isDestinationChanged = logic.or(isDestinationChanged, where);
        }
        set(where, network, bit, value);
    }

    void setTransport(B where, int bit, List<B> value) {
        set(where, transport, bit, value);
    }

    /** Returns something of the packet that is not modelled. */
    List<B> other(String what, int bits) {
        return others.computeIfAbsent(what + ' ' + bits, _ -> logic.unknown(bits));
    }

    private List<B> slice(String what, List<B> header, int start, int bits) {
        return start + bits <= header.size()
                ? List.copyOf(header.subList(start, start + bits))
                : other(what + ' ' + start, bits);
    }

    private void set(B where, List<B> header, int start, List<B> value) {
        for (int i = 0; i < value.size() && start + i < header.size(); i++) {
            header.set(start + i, logic.choose(where, value.get(i), header.get(start + i)));
        }
    }

    /**
     * Returns where a new value differs from the old one. Two numbers that are both unknown count as different: to compare them
     * would take a diagram of exponential size.
     */
    private B differs(List<B> value, List<B> old) {
        return isConstant(value) ? logic.not(logic.equal(old, value)) : logic.yes();
    }

    /** Returns where an address differs from the destination. */
    B isOtherDestination(List<B> address) {
        return differs(address, destination());
    }

    private boolean isConstant(List<B> value) {
        return value.stream().allMatch(bit -> logic.isYes(bit) || logic.isNo(bit));
    }

    /** Returns where the source was changed since the last call of {@link #forgetChanges}. */
    B isSourceChanged() {
        return isSourceChanged;
    }

    /** Returns where mark, source or destination were changed since then. */
    B isChanged() {
        return logic.or(isMarkChanged, logic.or(isSourceChanged, isDestinationChanged));
    }

    void forgetChanges() {
        isDestinationChanged = logic.no();
        isSourceChanged = logic.no();
        isMarkChanged = logic.no();
    }

    List<B> mark() {
        return mark;
    }

    void setMark(B where, List<B> value) {
        isMarkChanged = logic.or(isMarkChanged, logic.and(where, differs(value, mark)));
        mark = logic.choose(where, value, mark);
    }

    List<B> inputLink() {
        return inputLink;
    }

    void setInputLink(List<B> link) {
        inputLink = link;
        inputName = null;
    }

    /** Returns the name of the input link in 16 bytes; of many rules, it is what is compared first. */
    List<B> inputName(Links links) {
        if (inputName == null) {
            inputName = links.name(logic, inputLink);
        }
        return inputName;
    }

    List<B> outputName(Links links) {
        if (outputName == null) {
            outputName = links.name(logic, outputLink);
        }
        return outputName;
    }

    List<B> outputLink() {
        return outputLink;
    }

    void setOutputLink(List<B> link) {
        outputLink = link;
        outputName = null;
    }

    B isReply() {
        return isReply;
    }

    List<B> connectionState() {
        return connectionState;
    }

    B isConnectionState(int state) {
        return logic.equal(connectionState, state);
    }

    void setConnectionState(B where, int state) {
        connectionState = logic.choose(where, logic.constant(state, STATE_BITS), connectionState);
    }

    List<B> connectionMark() {
        return connectionMark;
    }

    void setConnectionMark(B where, List<B> value) {
        connectionMark = logic.choose(where, value, connectionMark);
    }

    B isLaterFragment() {
        return isLaterFragment;
    }

    List<B> user() {
        return user;
    }

    /** Returns a number as a register has it: its bytes in the machine's order. */
    static <B> List<B> inHostOrder(List<B> number) {
        if (ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN) {
            return number;
        }
        List<B> reordered = new ArrayList<>(number.size());
        for (int start = number.size() - Byte.SIZE; start >= 0; start -= Byte.SIZE) {
            reordered.addAll(number.subList(start, start + Byte.SIZE));
        }
        return reordered;
    }
}
