package io.culvert.confinement;

/** Thrown if a namespace daemon could not start, with its error messages. */
public final class KeeperFailedException extends RuntimeException {

    private final int status;

    /**
     * Creates the exception.
     *
     * @param words the complete error messages of the daemon
     */
    KeeperFailedException(int status, String words) {
        super(words.strip());
        this.status = status;
    }

    public int exitStatus() {
        return status;
    }
}
