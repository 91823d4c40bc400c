// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;

/** The commands for network files. */
@Command(description = "Manages a WireGuard mesh that is described by one network file.")
final class MeshCommands extends CommandGroup {

    @Override
    List<Named> commands() {
        return List.of(
                new Named("check", NetworkQueries.Check.class),
                new Named("render", MeshFiles.Render.class),
                new Named("list", NetworkQueries.ListPeers.class),
                new Named("explain", NetworkQueries.Explain.class),
                new Named("graph", NetworkQueries.Graph.class),
                new Named("keygen", MeshFiles.Keygen.class),
                new Named("qr", MeshFiles.Qr.class),
                new Named("schema", NetworkQueries.Schema.class),
                new Named("import", MeshImport.class),
                new Named("up", NodeCommands.Up.class),
                new Named("down", NodeCommands.Down.class),
                new Named("diff", NodeCommands.Diff.class),
                new Named("status", NodeCommands.Status.class));
    }

    @Override
    public Integer call() {
        throw usageError(
                "Missing command: " + commands().stream().map(Named::name).collect(Collectors.joining(", ")));
    }
}
