// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.net.Family;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A process that sends packets of every kind in both families, each time it is told to: a volley. It needs no replies, except that
 * it waits, where it can, for a reply or an error to the last packet, as the earlier ones have been handled by then.
 */
public final class ProbeAgent implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    /**
     * Arguments: label, port, destinations, and a word that selects the ways. Signals: USR1 all ways, USR2 without those that only
     * nftables blocks.
     */
    private static final String PROGRAM = """
        import concurrent.futures, itertools, os, signal, socket, struct, sys
        label, port, internet4, internet6, lan4, lan6, uplink, node4, node6, ways, fence4, fence6 = sys.argv[1:13]
        port, DNS, MARK, LINK = int(port), 53, 36, 25
        marks = [0x51000000, 0x52000000, 0x80000, 0x40000]
        volley, held, sent = 0, [], 0
        internet, lan = {4: internet4, 6: internet6}, {4: lan4, 6: lan6}
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        groups = {4: ['192.0.2.63', '192.0.2.191', '255.255.255.255', '224.0.0.251', '239.1.2.3'], 6: ['ff02::fb', 'ff05::fb', 'ff0e::fb']}
        def query(transport, family):
            name = ('%s-%s-v%d-%d' % (label, transport, family, volley)).encode()
            return (struct.pack('!6H', 7, 0x100, 1, 0, 0, 0) + bytes([len(name)]) + name + b'\\7example\\0'
                + struct.pack('!2H', 1 if family == 4 else 28, 1))
        def framed(message): return struct.pack('!H', len(message)) + message
        def prepare(one, family, way):
            if way == 'address': one.bind((node4 if family == 4 else node6, 0))
            if way in (uplink, 'eth1'): one.setsockopt(socket.SOL_SOCKET, LINK, way.encode() + b'\\0')
            if isinstance(way, int): one.setsockopt(socket.SOL_SOCKET, MARK, way)
        def attempt(family, kind, protocol, way, how):
            global sent
            try:
                one = socket.socket(families[family], kind, protocol)
                held.append(one)
                one.setblocking(False)
                if family == 4: one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                prepare(one, family, way)
                how(one)
                sent += 1
            except OSError:
                pass
        def begin(one, to, data):
            try: one.connect(to)
            except BlockingIOError: waiting.append((one, data))
        def echo(family): return bytes([8 if family == 4 else 128, 0, 0, 0, 0, 0, 0, 1]) + b'echo'
        def checksum(data):
            total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
            while total > 0xffff: total = (total & 0xffff) + (total >> 16)
            return struct.pack('!H', ~total & 0xffff)
        def forge(family, way, to):
            # With the tunnel's mark, a mesh's port may send to any address, as devices roam: a documented limit.
            for source in (61234, 41641, 51820) + (() if way == marks[0] else (51821,)):
                data = struct.pack('!HHHH', source, port, 12, 0) + b'leak'
                attempt(family, socket.SOCK_RAW, socket.IPPROTO_UDP, way, lambda one: one.sendto(data, (to, 0)))
            attempt(family, socket.SOCK_RAW, 253, way, lambda one: one.sendto(b'leak', (to, 0)))
            ping = echo(family)
            if family == 4: ping = ping[:2] + checksum(ping) + ping[4:]
            kind = socket.IPPROTO_ICMP if family == 4 else socket.IPPROTO_ICMPV6
            attempt(family, socket.SOCK_RAW, kind, way, lambda one: one.sendto(ping, (to, 0)))
            if family == 4:
                for source in (node4, '192.0.2.20', '10.64.0.2', '10.77.0.2', '127.0.0.1'):
                    data = struct.pack('!HHHH', 4000, port, 12, 0) + b'leak'
                    head = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(data), 1, 0, 64, 17, 0,
                        socket.inet_aton(source), socket.inet_aton(to))
                    attempt(family, socket.SOCK_RAW, socket.IPPROTO_RAW, way, lambda one: one.sendto(head + data, (to, 0)))
        def fire(narrow):
            global waiting
            waiting = []
            unbound = ['plain'] + (['address'] if 'address' in ways else [])
            chosen = unbound if narrow else unbound + ([uplink, 'eth1'] if 'link' in ways else []) + (marks if 'marks' in ways else [])
            for family in 4, 6:
                for way in chosen:
                    for to in filter(None, (internet[family], lan[family])):
                        attempt(family, socket.SOCK_STREAM, 0, way, lambda one: begin(one, (to, port), b'leak'))
                        attempt(family, socket.SOCK_DGRAM, 0, way, lambda one: one.sendto(b'leak', (to, port)))
                        kind = socket.IPPROTO_ICMP if family == 4 else socket.IPPROTO_ICMPV6
                        attempt(family, socket.SOCK_DGRAM, kind, way, lambda one: one.sendto(echo(family), (to, 0)))
                        attempt(family, socket.SOCK_DGRAM, 0, way, lambda one: one.sendto(query('udp', family), (to, DNS)))
                        attempt(family, socket.SOCK_STREAM, 0, way, lambda one: begin(one, (to, DNS), framed(query('tcp', family))))
                        if 'marks' in ways: forge(family, way, to)
                    for to in [] if narrow else groups[family]:
                        attempt(family, socket.SOCK_DGRAM, 0, way, lambda one: one.sendto(b'leak', (to, port)))
            # A connection to the stub resolver, or to the internet, takes its query as soon as it is open.
            for one, data in waiting: pending[one.fileno()] = (one, data)
            if 'fence' in ways: fence()
        def fence():
            with concurrent.futures.ThreadPoolExecutor(2) as pool: list(pool.map(fenced, (4, 6)))
        def fenced(family):
            try:
                with socket.socket(families[family], socket.SOCK_DGRAM) as one:
                    one.settimeout(1)
                    one.connect((fence4 if family == 4 else fence6, 7))
                    one.send(b'fence')
                    one.recv(64)
            except OSError:
                pass
        def exactly(tcp, count):
            got = b''
            while len(got) < count:
                part = tcp.recv(count - len(got))
                if not part: raise OSError('closed')
                got += part
            return got
        def session(command, to, number):
            tcp = socket.create_connection((node4, 1080), 2)
            held.append(tcp)
            tcp.settimeout(2)
            tcp.sendall(b'\\5\\1\\0')
            if exactly(tcp, 2) != b'\\5\\0': raise OSError('refused')
            tcp.sendall(bytes([5, command, 0]) + form(to) + struct.pack('!H', number))
            head = exactly(tcp, 4)
            rest = exactly(tcp, {1: 4, 4: 16}[head[3]] + 2)
            if head[1]: raise OSError('refused')
            return tcp, rest
        def form(to):
            return b'\\4' + socket.inet_pton(socket.AF_INET6, to) if ':' in to else b'\\1' + socket.inet_aton(to)
        def through(to, number, data):
            global sent
            try:
                tcp, _ = session(1, to, number)
                sent += 1
                if data: tcp.sendall(data); tcp.recv(2048)
            except OSError:
                pass
        def by_http(to, number, data):
            global sent
            try:
                tcp = socket.create_connection((node4, 8888), 2)
                held.append(tcp)
                tcp.settimeout(2)
                tcp.sendall(('CONNECT %s:%d HTTP/1.1\\r\\n\\r\\n' % ('[%s]' % to if ':' in to else to, number)).encode())
                if b' 200 ' not in tcp.recv(2048): raise OSError('refused')
                sent += 1
                if data: tcp.sendall(data); tcp.recv(2048)
            except OSError:
                pass
        def associated(narrow):
            global sent
            try:
                tcp, rest = session(3, '0.0.0.0', 0)
                relay = (node4, struct.unpack('!H', rest[-2:])[0])
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                    udp.settimeout(1)
                    for family in 4, 6:
                        for to, number, data in [(internet[family], port, b'leak'), (internet[family], DNS, query('udp', family))] + [
                                (group, port, b'leak') for group in (groups[4] if family == 4 and not narrow else [])]:
                            udp.sendto(b'\\0\\0\\0' + form(to) + struct.pack('!H', number) + data, relay)
                            sent += 1
                    udp.sendto(b'\\0\\0\\0' + form(fence4) + struct.pack('!H', 7) + b'fence', relay)
                    while udp.recv(2048)[4:8] != socket.inet_aton(fence4): pass
            except OSError:
                pass
        def by_proxy(narrow):
            tasks = [lambda: associated(narrow)]
            for way, family in itertools.product((through, by_http), (4, 6)):
                tasks.append(lambda way=way, to=internet[family]: way(to, port, b''))
                tasks.append(lambda way=way, to=internet[family], family=family: way(to, DNS, framed(query('tcp', family))))
            with concurrent.futures.ThreadPoolExecutor(8) as pool: list(pool.map(lambda task: task(), tasks))
        import select
        pending, poll, wake = {}, select.poll(), os.pipe()
        os.set_blocking(wake[1], False)
        signal.set_wakeup_fd(wake[1])
        for one in signal.SIGUSR1, signal.SIGUSR2: signal.signal(one, lambda *_: None)
        poll.register(wake[0], select.POLLIN)
        print('ready', flush=True)
        while True:
            for fd, event in poll.poll():
                if fd == wake[0]:
                    which = os.read(wake[0], 1)[0]
                    for old in pending: poll.unregister(old)
                    pending.clear()
                    for one in held: one.close()
                    held.clear()
                    volley, sent = volley + 1, 0
                    narrow = which == signal.SIGUSR2
                    if 'proxy' in ways: by_proxy(narrow)
                    else: fire(narrow)
                    for new in pending: poll.register(new, select.POLLOUT)
                    print('volley %d: sent %d' % (volley, sent), flush=True)
                    break
                elif fd in pending:
                    one, data = pending.pop(fd)
                    poll.unregister(fd)
                    try: one.send(data)
                    except OSError: pass
        """;

    private final RunningProgram program;

    private ProbeAgent(RunningProgram program) {
        this.program = program;
        program.awaitLine("^ready", TIMEOUT);
    }

    /** Starts the agent of this origin in a lab whose node's uplink has this name. */
    static ProbeAgent start(TrafficOrigin origin, Lab lab) {
        String uplink = lab.options().uplink();
        LabNamespace node = lab.node().namespace();
        return new ProbeAgent(
                switch (origin) {
                    case LOCAL -> node.start(command(origin, uplink, "address", List.of()));
                    case SIBLING ->
                        node.start(command(
                                origin,
                                uplink,
                                "address,link",
                                List.of(
                                        "setpriv",
                                        "--reuid=65534",
                                        "--regid=65534",
                                        "--clear-groups",
                                        "--inh-caps=-all",
                                        "--bounding-set=-all")));
                    case RAW_SIBLING ->
                        node.start(command(
                                origin,
                                uplink,
                                "address,link,marks",
                                List.of(
                                        "setpriv",
                                        "--inh-caps=-all,+net_raw",
                                        "--ambient-caps=-all,+net_raw",
                                        "--bounding-set=-all,+net_raw")));
                    case PROXY_CLIENT -> lab.lanHost().start(command(origin, uplink, "proxy", List.of()));
                    case WIREGUARD_CLIENT, TAILSCALE_CLIENT ->
                        lab.client().namespace().start(command(origin, uplink, "fence", List.of()));
                });
    }

    private static String[] command(TrafficOrigin origin, String uplink, String ways, List<String> privileges) {
        List<String> all = new ArrayList<>(privileges);
        all.addAll(List.of(
                "/usr/bin/python3",
                "-u",
                "-c",
                PROGRAM,
                origin.label(),
                Integer.toString(origin.port()),
                origin.internet(Family.IPV4),
                origin.internet(Family.IPV6),
                origin.lan(Family.IPV4),
                origin.lan(Family.IPV6),
                uplink,
                Lab.NODE_IPV4,
                Lab.NODE_IPV6,
                ways,
                Lab.SERVER_IPV4,
                Lab.SERVER_IPV6));
        return all.toArray(String[]::new);
    }

    /**
     * Tells the agent to send a volley; {@link #awaitSent} waits for it.
     *
     * @param narrow without the ways that only nftables blocks: sockets bound to the uplink's interface, and marked packets
     */
    void send(boolean narrow) {
        program.ignoreEarlierOutput();
        program.signal(narrow ? "USR2" : "USR1");
    }

    /** Waits until the volley was sent. */
    void awaitSent() {
        program.awaitLine("^volley \\d+: sent ", TIMEOUT);
    }

    @Override
    public void close() {
        program.close();
    }
}
