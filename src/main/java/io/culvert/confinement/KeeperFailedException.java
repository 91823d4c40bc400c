package io.culvert.confinement;

/** The process that was to keep a namespace has said why it cannot, and ended. */
public final class KeeperFailedException extends RuntimeException {

    private final int status;

    /** @param words what it said, for people, complete */
    KeeperFailedException(int status, String words) {
        super(words.strip());
        this.status = status;
    }

    public int exitStatus() {
        return status;
    }
}
