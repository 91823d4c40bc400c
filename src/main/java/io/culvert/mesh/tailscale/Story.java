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

/** Where the node is between start and exit, as told to people. */
final class Story {

    private static final Pattern PROGRESS = Pattern.compile(
            "Sending SIGTERM|Starting tailscaled|Waiting for|Running '|Startup complete|, waiting|\\[warning\\]");

    /** Tailscaled: control/controlclient/direct.go. And tailscale up, which has it alone on a line. */
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

    /** @param exitOffered by the arguments already */
    void begin(boolean exitOffered) {
        alive = true;
        offeredFromStart = exitOffered;
        lastWords = Optional.empty();
    }

    /** What it complained of stays: that is why it ended. */
    void end() {
        alive = false;
        state = Notice.State.NO_STATE;
        status = Optional.empty();
        url = Optional.empty();
        offered = false;
    }

    /**
     * Keeps what containerboot itself says: its last words name the reason of its end, unless they are about its progress.
     *
     * @return the address where a person has to log in, when this line names it; the bus tells it only to whoever asked for
     *     a login
     */
    Optional<String> hear(String line) {
        if (line.startsWith("boot: ") && !PROGRESS.matcher(line).find()) {
            lastWords = Optional.of(line.replaceFirst("^boot: ([0-9/]+ [0-9:]+ )?", ""));
        }
        Matcher matcher = LOGIN.matcher(line);
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    /** Why it ended, where nobody knows what it means. */
    Optional<Problem> unexplained() {
        return complaint.isPresent()
                ? Optional.empty()
                : lastWords.map(words -> Problem.warning(
                        Place.machine("tailscale"),
                        "containerboot ended: " + words,
                        "CULVERT_LOG=debug shows all that it says"));
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

    /** A person has to log the node in. */
    Problem login(String where) {
        url = Optional.of(where);
        return Problem.warning(
                Place.machine("tailscale"),
                "waits for a login: " + where,
                "open this address; every minute there is a new one, and only the newest counts. A key in TS_AUTHKEY does"
                        + " without");
    }

    void complain(Problem problem) {
        complaint = Optional.of(problem);
    }

    void recover() {
        complaint = Optional.empty();
    }

    /** @return whether the exit is offered for the first time in this life */
    boolean learn(NodeStatus now, boolean exitOffered) {
        status = Optional.of(now);
        boolean first = exitOffered && !offered;
        offered = exitOffered;
        return first;
    }

    /**
     * The exit is offered, but the control server does not tell peers. A Headscale tells a node of its own approval only when
     * that logs in, so of an offer made later nothing is known.
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
                "offers the exit, but nobody may use it yet: the control server has not approved it",
                settings.usesTailscalesServer()
                        ? "https://login.tailscale.com/admin/machines: this node, Edit route settings, Use as exit node;"
                                + " or autoApprovers in the policy"
                        : "headscale nodes approve-routes --identifier " + (id.matches("[0-9]+") ? id : "ID")
                                + " --routes 0.0.0.0/0,::/0; or autoApprovers in the policy"));
    }

    private boolean isTold() {
        return offeredFromStart || settings.usesTailscalesServer();
    }

    /** The control server has given it another name than it asked for, as that is taken. */
    Optional<Problem> otherName() {
        String name = status.map(NodeStatus::name).orElse("").replaceFirst("\\..*", "");
        String wanted = status.map(NodeStatus::hostName).orElse("").toLowerCase(Locale.ROOT);
        boolean numbered = name.matches(Pattern.quote(wanted) + "-[0-9a-z]{1,8}");
        return wanted.isEmpty() || !numbered
                ? Optional.empty()
                : Optional.of(Problem.warning(
                        Place.setting("TS_HOSTNAME"),
                        "is " + wanted + ", but the tailnet has a node of that name already: this one is called "
                                + name,
                        "remove the old node, and keep this one's identity: a volume at TS_STATE_DIR"));
    }

    /** A few words. */
    @Override
    public String toString() {
        String link = settings.link();
        String because = complaint.map(problem -> ": " + problem.what()).orElse("");
        if (url.isPresent()) {
            return link + ", waits for a login: " + url.get();
        }
        return switch (state) {
            case RUNNING -> link + status.map(this::described).orElse(", runs") + because;
            case NEEDS_LOGIN -> link + ", is logged out" + because;
            case NEEDS_APPROVAL -> link + ", waits for an administrator's approval";
            case NO_STATE, IN_USE_BY_ANOTHER, STOPPED, STARTING -> link + (alive ? ", starts" : ", is down") + because;
        };
    }

    private String described(NodeStatus now) {
        String addresses = now.addresses().stream().map(Prefix::text).collect(Collectors.joining(", "));
        String exit = !settings.offersExit()
                ? "offers no exit, as asked"
                : !offered
                        ? "offers the exit as soon as the tunnel is up"
                        : now.exitApproved() || !isTold() ? "offers the exit" : "offers the exit, not yet approved";
        return ", Tailscale " + now.version() + ", " + now.name() + " (" + addresses + "), " + exit;
    }
}
