// SPDX-License-Identifier: Apache-2.0
package io.culvert.simulation;

import io.culvert.linux.Errno;
import io.culvert.simulation.World.Behaviour;
import io.culvert.status.ControlRequest;
import java.time.Duration;
import java.util.List;
import java.util.Random;

/** What goes wrong around an exit node, singly and in pairs, drawn from the seed. */
final class Faults {

    /** The kinds of faults. */
    enum Kind {
        SERVER_DIES,
        ALL_SERVERS_DIE,
        HANDSHAKE_ONLY,
        UPLINK_DOWN,
        CARRIER_LOST,
        UPLINK_RENAMED,
        UPLINK_RENUMBERED,
        UPLINK_DOUBLED,
        UPLINK_REPLACED,
        IPV6_LOST,
        RULES_DELETED,
        ROUTES_DELETED,
        TABLE_DELETED,
        NFT_RULE_DELETED,
        TUNNEL_DELETED,
        TUNNEL_DOWN,
        EVENTS_LOST,
        REQUESTS_FAIL,
        CHILD_KILLED,
        CHILD_HANGS,
        STUB_HANGS,
        STUB_CLOSED,
        RELOAD,
        FILE_CHANGED,
        FILE_BROKEN,
        NEXT,
        USE,
        PAUSED,
        CLOCK_JUMP,
        SUSPEND,
        KILLED,
        KILLED_AT_REQUEST
    }

    private static final Duration MEAN_INTERVAL = Duration.ofMinutes(6);

    private final List<Kind> kinds;

    Faults(List<Kind> kinds) {
        this.kinds = List.copyOf(kinds);
    }

    static Faults none() {
        return new Faults(List.of());
    }

    static Faults all() {
        return new Faults(List.of(Kind.values()));
    }

    void begin(World world, Duration time) {
        if (!kinds.isEmpty()) {
            next(world, time);
        }
    }

    private void next(World world, Duration time) {
        Random random = world.random;
        // Now and then during the start.
        Duration in = random.nextInt(8) == 0
                ? Duration.ofMillis(random.nextInt(3000))
                : MEAN_INTERVAL.multipliedBy(1 + random.nextInt(200)).dividedBy(100);
        world.threads.schedule(in, () -> {
            if (world.threads.nanoTime() > time.minusMinutes(3).toNanos()) {
                return;
            }
            happen(world, kinds.get(random.nextInt(kinds.size())));
            if (random.nextInt(3) == 0) {
                Duration soon = Duration.ofMillis(random.nextInt(20_000));
                world.threads.schedule(soon, () -> happen(world, kinds.get(random.nextInt(kinds.size()))));
            }
            next(world, time);
        });
    }

    private static Duration duration(Random random) {
        return switch (random.nextInt(3)) {
            case 0 -> Duration.ofMillis(1 + random.nextInt(3000));
            case 1 -> Duration.ofSeconds(3 + random.nextInt(60));
            default -> Duration.ofSeconds(60 + random.nextInt(240));
        };
    }

    /** A fault that lasts for some time. */
    private static void lasting(World world, String name, Runnable begin, Runnable end) {
        if (world.troubles.containsKey(name)) {
            return;
        }
        world.trouble(name);
        begin.run();
        world.judge();
        world.threads.schedule(duration(world.random), () -> {
            end.run();
            world.repaired(name);
            world.judge();
        });
    }

    /** Damage to a layer that the exit node repairs. */
    private static void damage(World world, String layer, String what, Runnable change) {
        world.note(what);
        boolean wasDamaged = world.troubles.containsKey(layer);
        world.trouble(layer);
        change.run();
        world.judge();
        if (!wasDamaged) {
            awaitRepair(world, layer);
        }
    }

    private static void awaitRepair(World world, String layer) {
        world.threads.schedule(Duration.ofSeconds(10), () -> {
            if (world.isRunning() && !world.troubles.containsKey("starting")) {
                world.repaired(layer);
                world.judge();
            } else {
                awaitRepair(world, layer);
            }
        });
    }

    private static void happen(World world, Kind kind) {
        Random random = world.random;
        SimulatedNetwork network = world.kernel.network;
        switch (kind) {
            case SERVER_DIES ->
                behave(world, List.of(world.servers.get(random.nextInt(world.servers.size()))), Behaviour.DEAD);
            case ALL_SERVERS_DIE -> behave(world, world.servers, Behaviour.DEAD);
            case HANDSHAKE_ONLY -> behave(world, world.servers, Behaviour.HANDSHAKE_ONLY);
            case UPLINK_DOWN ->
                lasting(
                        world,
                        "uplink down",
                        () -> network.link(world.uplink).ifPresent(link -> network.setUp(link, false)),
                        () -> network.link(world.uplink).ifPresent(link -> {
                            network.setUp(link, true);
                            network.routes.removeIf(route -> route.link() == link.index && route.length() == 0);
                            world.addDefaultRoutes(link, 0);
                            if (world.ipv6) {
                                network.addAddress(new SimulatedNetwork.Address(
                                        SimulatedNetwork.IPV6,
                                        link.index,
                                        World.ipv6Address(10, 2),
                                        64,
                                        0,
                                        0x80,
                                        0,
                                        0));
                            }
                        }));
            case CARRIER_LOST ->
                lasting(world, "carrier lost", () -> setCarrier(world, false), () -> setCarrier(world, true));
            case UPLINK_RENAMED ->
                network.link(world.uplink).ifPresent(link -> {
                    String name = world.uplink.equals("eth0") ? "ens3" : "eth0";
                    if (network.link(name).isEmpty()) {
                        network.rename(link, name);
                        world.uplink = name;
                        world.disturbed("uplink renamed to " + name);
                        world.judge();
                    }
                });
            case UPLINK_RENUMBERED ->
                network.link(world.uplink).filter(link -> link.up).ifPresent(link -> {
                    network.addresses.removeIf(address -> address.link() == link.index && address.scope() == 0);
                    network.routes.removeIf(route -> route.link() == link.index
                            && route.protocol() != 67
                            && !(route.destination()[0] == (byte) 0xff || route.destination()[0] == (byte) 0xfe));
                    world.configureUplink(link, 20 + random.nextInt(50), 0);
                    world.disturbed("uplink renumbered");
                    world.judge();
                });
            case UPLINK_DOUBLED ->
                lasting(
                        world,
                        "second uplink",
                        () -> world.addUplink("eth7", 33, 5),
                        () -> world.kernel.deleteLink("eth7"));
            case UPLINK_REPLACED ->
                lasting(world, "uplink replaced", () -> world.kernel.deleteLink(world.uplink), () -> {
                    if (network.link(world.uplink).isEmpty()) {
                        world.addUplink(world.uplink, 10, 0);
                    }
                });
            case IPV6_LOST -> {
                if (world.ipv6) {
                    lasting(
                            world,
                            "no IPv6 route",
                            () -> {
                                network.routes.removeIf(route -> route.family() == SimulatedNetwork.IPV6
                                        && route.table() == SimulatedNetwork.MAIN
                                        && route.length() == 0);
                                world.kernel.notifyOfRoute(SimulatedNetwork.DELROUTE);
                            },
                            () -> network.link(world.uplink)
                                    .filter(link -> link.up)
                                    .ifPresent(link -> world.addDefaultIpv6Route(link, 0)));
                }
            }
            case RULES_DELETED ->
                damage(world, "routing", "routing rules deleted", () -> {
                    network.rules.removeIf(
                            rule -> rule.preference() > 5000 && rule.preference() < 6000 && random.nextInt(3) != 0);
                    world.kernel.notifyOfRoute(SimulatedNetwork.DELRULE);
                });
            case ROUTES_DELETED ->
                damage(world, "routing", "routes deleted", () -> {
                    network.routes.removeIf(route -> route.protocol() == 67 && random.nextInt(3) != 0);
                    world.kernel.notifyOfRoute(SimulatedNetwork.DELROUTE);
                });
            case TABLE_DELETED ->
                damage(world, "nftables", "table deleted", () -> {
                    world.kernel.ruleset.remove("culvert");
                    world.kernel.notifyOfRuleset();
                });
            case NFT_RULE_DELETED ->
                damage(world, "nftables", "nftables rule deleted", () -> {
                    world.kernel.ruleset.removeRule("culvert", random.nextInt(1000));
                    world.kernel.notifyOfRuleset();
                });
            case TUNNEL_DELETED -> {
                world.disturbed("tunnel deleted");
                world.kernel.deleteLink("wg0");
                world.judge();
            }
            case TUNNEL_DOWN -> {
                world.disturbed("tunnel set down");
                network.link("wg0").ifPresent(link -> network.setUp(link, false));
                world.judge();
            }
            case EVENTS_LOST -> {
                world.disturbed("events lost");
                world.kernel.loseEvents();
            }
            case REQUESTS_FAIL -> {
                world.failingRequests = 1 + random.nextInt(12);
                world.failingErrno = List.of(Errno.EBUSY, Errno.EINTR, Errno.ENOBUFS, Errno.ENOMEM)
                        .get(random.nextInt(4));
                world.disturbed(world.failingRequests + " requests fail with error " + world.failingErrno);
                world.kernel.notifyOfRoute(SimulatedNetwork.NEWROUTE);
            }
            case CHILD_KILLED -> {
                world.disturbed("children killed");
                world.processes().forEach(process -> process.end(137));
            }
            case CHILD_HANGS -> {
                world.disturbed("children hang");
                world.processes().forEach(SimulatedProcess::hang);
            }
            case STUB_HANGS -> {
                world.disturbed("DNS stub hangs");
                world.hangStub();
            }
            case STUB_CLOSED -> {
                world.disturbed("sockets of the DNS stub closed");
                world.closeStub();
            }
            case RELOAD -> {
                world.disturbed("reload");
                world.reload();
            }
            case FILE_CHANGED -> {
                world.disturbed("file changed");
                world.changeServerFile(random.nextInt(world.servers.size()), 1280 + random.nextInt(140));
                world.reload();
            }
            case FILE_BROKEN -> {
                int server = random.nextInt(world.servers.size());
                lasting(
                        world,
                        World.BROKEN_FILE,
                        () -> {
                            world.files.replacePrivate(World.serverFile(server), "[Interface]\nPrivateKey = none\n");
                            world.reload();
                        },
                        () -> {
                            world.repairServerFile(server);
                            world.reload();
                        });
            }
            case NEXT -> {
                world.disturbed("next server");
                world.request(ControlRequest.of(ControlRequest.Kind.NEXT));
            }
            case USE -> {
                world.disturbed("server in use chosen");
                world.request(new ControlRequest(
                        ControlRequest.Kind.USE, String.valueOf(random.nextInt(world.servers.size()))));
            }
            case PAUSED ->
                lasting(
                        world,
                        "paused",
                        () -> world.request(ControlRequest.of(ControlRequest.Kind.PAUSE)),
                        () -> world.request(ControlRequest.of(ControlRequest.Kind.RESUME)));
            case CLOCK_JUMP -> {
                Duration jump = Duration.ofSeconds(random.nextInt(200_000) - 100_000);
                world.disturbed("clock set by " + jump);
                world.clock.set(jump);
            }
            case SUSPEND -> {
                Duration jump = Duration.ofSeconds(random.nextInt(20_000));
                world.disturbed("suspended for " + jump);
                world.clock.set(jump);
                world.forgetSessions();
            }
            case KILLED -> {
                if (world.isRunning()) {
                    world.kill(Duration.ofMillis(100 + random.nextInt(30_000)));
                }
            }
            case KILLED_AT_REQUEST -> {
                if (world.isRunning()) {
                    world.killAfter = 1 + random.nextInt(random.nextInt(3) == 0 ? 300 : 30);
                    world.note("killed after " + world.killAfter + " requests");
                    world.kernel.notifyOfRoute(SimulatedNetwork.NEWROUTE);
                }
            }
        }
    }

    private static void setCarrier(World world, boolean carrier) {
        world.kernel.network.link(world.uplink).ifPresent(link -> {
            link.carrier = carrier;
            world.kernel.notifyOfRoute(SimulatedNetwork.NEWLINK);
        });
    }

    private static void behave(World world, List<World.Server> servers, Behaviour behaviour) {
        lasting(
                world,
                "servers " + behaviour,
                () -> servers.forEach(server -> server.behaviour = behaviour),
                () -> servers.forEach(server -> server.behaviour = Behaviour.ALIVE));
    }
}
