// SPDX-License-Identifier: Apache-2.0
package io.culvert.reconcile;

import io.culvert.diagnostics.Log;
import java.util.Optional;

/** The error that keeps a desired state from being reached. It is logged when it appears or changes, not at every retry. */
public final class ErrorState {

    private final Log log;
    private final String recovered;
    private Optional<String> current = Optional.empty();

    /** @param recovered the log line for the end of an error; empty for none */
    public ErrorState(Log log, String recovered) {
        this.log = log;
        this.recovered = recovered;
    }

    /** Returns the message of the current error. */
    public Optional<String> current() {
        return current;
    }

    public void failed(RuntimeException error) {
        Optional<String> message = Optional.of(String.valueOf(error.getMessage()));
        if (!current.equals(message)) {
            log.failure(error);
        }
        current = message;
    }

    public void succeeded() {
        if (current.isPresent() && !recovered.isEmpty()) {
            log.info(recovered);
        }
        current = Optional.empty();
    }
}
