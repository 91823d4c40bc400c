// SPDX-License-Identifier: Apache-2.0
package io.culvert.exitnode;

/** What to do next about a server that does not respond, from the least to the most. */
enum RecoveryStep {
    NONE,
    /** Use the next address of the server's name, with a new session. */
    NEXT_ADDRESS,
    /** Start a new session with the server at its configured endpoint. */
    RESET_PEER,
    /** Use another server. */
    SWITCH_SERVER,
    /** Use another server, or the only one again, with a new userspace process. */
    RECREATE_DEVICE
}
