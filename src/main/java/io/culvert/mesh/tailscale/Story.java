package io.culvert.mesh.tailscale;

import io.culvert.ip.Prefix;
import io.culvert.problem.Place;
import io.culvert.problem.Problem;
import io.culvert.settings.TailscaleSettings;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The state of the Tailscale node from start to exit, for the log and status. */
final class Story {

    private static final Pattern PROGRESS = Pattern.compile(
            "Sending SIGTERM|Starting tailscaled|Waiting for|Running '|Startup complete|, waiting|\\[warning\\]");

    /** Printed by tailscaled (control/controlclient/direct.go), and by tailscale up alone on a line. */
    private static final Pattern LOGIN = Pattern.compile("(?:control: AuthURL is |^\\t)(https?://\\S+)$");

    private final TailscaleSettings settings;
    private Notice.State state = Notice.State.NO_STATE;
    private Optional<NodeStatus> status = Optional.empty();
    private Optional<String> url = Optional.empty();
    private Optional<Problem> complaint = Optional.empty();
    private Optional<String> lastWords = Optional.empty();
    private boolean alive;
    private boolean offered;
    private boolean offeredFromStart;

    Story(TailscaleSettings settings) {
        this.settings = settings;
    }

    /** @param exitOffered whether the arguments advertise the exit node already */
    void begin(boolean exitOffered) {
        alive = true;
        offeredFromStart = exitOffered;
        lastWords = Optional.empty();
    }

    /** Resets the state when the program exits; the last known error is kept as the reason. */
    void end() {
        alive = false;
        state = Notice.State.NO_STATE;
        status = Optional.empty();
        url = Optional.empty();
        offered = false;
    }

    /**
     * Records containerboot's own messages: the last one that is not about progress is the reason of its exit.
     *
     * @return the login URL if this line contains it; the bus reports it only to the client that requested
     *     the login
     */
    Optional<String> hear(String line) {
        if (line.startsWith("boot: ") && !PROGRESS.matcher(line).find()) {
            lastWords = Optional.of(line.replaceFirst("^boot: ([0-9/]+ [0-9:]+ )?", ""));
        }
        Matcher matcher = LOGIN.matcher(line);
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    /** Returns the reason of the exit, if it is not a known error. */
    Optional<Problem> unexplained() {
        return complaint.isPresent()
                ? Optional.empty()
                : lastWords.map(words -> Problem.warning(
                        Place.machine("tailscale"),
                        "containerboot exited: " + words,
                        "set CULVERT_LOG=debug to see its output"));
    }

    void enter(Notice.State next) {
        state = next;
        if (next == Notice.State.RUNNING) {
            url = Optional.empty();
            complaint = Optional.empty();
        }
    }

    boolean runs() {
        return alive && state == Notice.State.RUNNING;
    }

    /** Records that a user has to log the node in. */
    Problem login(String where) {
        url = Optional.of(where);
        return Problem.warning(
                Place.machine("tailscale"),
                "waiting for login: " + where,
                "open the latest URL (a new one is issued every minute), or set TS_AUTHKEY for a login without a"
                        + " browser");
    }

    void complain(Problem problem) {
        complaint = Optional.of(problem);
    }

    void recover() {
        complaint = Optional.empty();
    }

    /** @return whether the exit node is advertised for the first time since the program was started */
    boolean learn(NodeStatus now, boolean exitOffered) {
        status = Optional.of(now);
        boolean first = exitOffered && !offered;
        offered = exitOffered;
        return first;
    }

    /**
     * Returns a warning if the exit node is advertised but not approved. A Headscale server reports the approval to the
     * node only at login, so it is unknown for an advertisement made later.
     */
    Optional<Problem> unapproved() {
        if (!runs()
                || !offered
                || !isTold()
                || status.filter(NodeStatus::exitApproved).isPresent()) {
            return Optional.empty();
        }
        String id = status.map(NodeStatus::id).orElse("");
        return Optional.of(Problem.warning(
                Place.machine("tailscale"),
                "the exit node is not approved at the control server yet, so it cannot be used",
                settings.usesTailscalesServer()
                        ? "approve it: https://login.tailscale.com/admin/machines, this node, Edit route settings, Use"
                                + " as exit node; or add it to autoApprovers in the tailnet policy file"
                        : "approve it: headscale nodes approve-routes --identifier "
                                + (id.matches("[0-9]+") ? id : "ID")
                                + " --routes 0.0.0.0/0,::/0; or add it to autoApprovers in the policy file"));
    }

    private boolean isTold() {
        return offeredFromStart || settings.usesTailscalesServer();
    }

    /** Returns a warning if the control server changed the node's name because the requested one is in use. */
    Optional<Problem> otherName() {
        String name = status.map(NodeStatus::name).orElse("").replaceFirst("\\..*", "");
        String wanted = status.map(NodeStatus::hostName).orElse("").toLowerCase(Locale.ROOT);
        boolean numbered = name.matches(Pattern.quote(wanted) + "-[0-9a-z]{1,8}");
        return wanted.isEmpty() || !numbered
                ? Optional.empty()
                : Optional.of(Problem.warning(
                        Place.setting("TS_HOSTNAME"),
                        "the tailnet already has a node named '" + wanted + "', so this node is named '" + name + "'",
                        "remove the old node, and keep this node's state: mount a volume at TS_STATE_DIR"));
    }

    /** Returns a short description of the state. */
    @Override
    public String toString() {
        String link = settings.link();
        String because = complaint.map(problem -> ": " + problem.what()).orElse("");
        if (url.isPresent()) {
            return link + ", waiting for login: " + url.get();
        }
        return switch (state) {
            case RUNNING -> link + status.map(this::described).orElse(", running") + because;
            case NEEDS_LOGIN -> link + ", logged out" + because;
            case NEEDS_APPROVAL -> link + ", waiting for approval by an administrator";
            case NO_STATE, IN_USE_BY_ANOTHER, STOPPED, STARTING -> link + (alive ? ", starting" : ", down") + because;
        };
    }

    private String described(NodeStatus now) {
        String addresses = now.addresses().stream().map(Prefix::text).collect(Collectors.joining(", "));
        String exit = !settings.offersExit()
                ? "does not offer an exit node, as configured"
                : !offered
                        ? "offers exit node once the tunnel is connected"
                        : now.exitApproved() || !isTold() ? "offers exit node" : "offers exit node, not approved yet";
        return ", Tailscale " + now.version() + ", " + now.name() + " (" + addresses + "), " + exit;
    }
}
