// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import io.culvert.tunnel.StandaloneTunnel;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The commands for a tunnel on any machine, as of wg-quick. */
@Command(description = "Manages a WireGuard tunnel from a wg-quick file, without an exit node.")
final class TunnelCommands extends CommandGroup {

    private static final String FILE =
            "A wg-quick file, or the name of an interface, whose file is /etc/wireguard/NAME.conf.";

    @Override
    List<Named> commands() {
        return List.of(
                new Named("up", Up.class),
                new Named("down", Down.class),
                new Named("show", Show.class),
                new Named("plan", Plan.class));
    }

    @Override
    public Integer call() {
        throw usageError("Missing command: up, down, show or plan");
    }

    @Command(description = "Brings a tunnel up. If a step fails, nothing is changed.")
    static final class Up extends BaseCommand {
        @Option(names = "--kill-switch", description = "Block all traffic outside the tunnel until it is brought down.")
        private boolean killSwitch;

        @Parameters(paramLabel = "FILE", arity = "1", description = FILE)
        private String file;

        @Override
        public Integer call() {
            new StandaloneTunnel(environment()).up(file, killSwitch);
            return 0;
        }
    }

    @Command(description = "Brings a tunnel down and removes everything that 'up' configured.")
    static final class Down extends BaseCommand {
        @Parameters(paramLabel = "FILE", arity = "1", description = FILE)
        private String file;

        @Override
        public Integer call() {
            new StandaloneTunnel(environment()).down(file);
            return 0;
        }
    }

    @Command(description = "Shows tunnels, in the format of 'wg show'.")
    static final class Show extends BaseCommand {
        @Mixin
        private JsonOption json;

        @Parameters(paramLabel = "FILE", arity = "0..1", description = FILE + " Default: all tunnels.")
        private Optional<String> file;

        @Override
        public Integer call() {
            print(new StandaloneTunnel(environment()).show(file, json.isGiven()));
            return 0;
        }
    }

    @Command(description = "Shows what 'up' would configure, in the syntax of ip and nft. Changes nothing.")
    static final class Plan extends BaseCommand {
        @Option(names = "--kill-switch", description = "Include the kill switch.")
        private boolean killSwitch;

        @Mixin
        private JsonOption json;

        @Parameters(paramLabel = "FILE", arity = "1", description = FILE)
        private String file;

        @Override
        public Integer call() {
            print(new StandaloneTunnel(environment()).plan(file, killSwitch, json.isGiven()));
            return 0;
        }
    }
}
