// SPDX-License-Identifier: Apache-2.0
package io.culvert.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;

/** A command line run in this process, with its exit status and output. */
record CommandRun(int status, String out, String err) {

    /** @param root the root of the file system for the command */
    static CommandRun of(Map<String, String> environment, Path root, String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = new Commands(new CommandEnvironment(environment, root))
                .of(args)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
        return new CommandRun(status, out.toString(), err.toString());
    }
}
