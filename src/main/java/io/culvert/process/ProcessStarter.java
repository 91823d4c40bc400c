// SPDX-License-Identifier: Apache-2.0
package io.culvert.process;

import io.culvert.linux.Privileges;
import java.io.IOException;

/** Starts a program with these privileges: {@link ProcessLauncher#start}, or a simulation. */
public interface ProcessStarter {

    /** @throws IOException if the program cannot be started */
    Process start(ProcessBuilder builder, Privileges privileges) throws IOException;
}
