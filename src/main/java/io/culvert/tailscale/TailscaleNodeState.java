// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import io.culvert.diagnostics.Location;
import io.culvert.diagnostics.Problem;
import io.culvert.net.Prefix;
import io.culvert.settings.TailscaleSettings;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The state of the Tailscale node from start to exit, for the log and status. */
final class TailscaleNodeState {

    private static final Pattern PROGRESS_MESSAGE = Pattern.compile(
            "Sending SIGTERM|Starting tailscaled|Waiting for|Running '|Startup complete|, waiting|\\[warning\\]");

    /** Printed by tailscaled (control/controlclient/direct.go), and by tailscale up alone on a line. */
    private static final Pattern LOGIN_URL = Pattern.compile("(?:control: AuthURL is |^\\t)(https?://\\S+)$");

    private final TailscaleSettings settings;
    private IpnNotification.State state = IpnNotification.State.NO_STATE;
    private Optional<TailscaleStatus> status = Optional.empty();
    private Optional<String> url = Optional.empty();
    private Optional<Problem> knownError = Optional.empty();
    private Optional<String> lastOutput = Optional.empty();
    private boolean programRunning;
    private boolean offered;
    private boolean offeredAtStart;

    TailscaleNodeState(TailscaleSettings settings) {
        this.settings = settings;
    }

    /** @param exitOffered whether the arguments advertise the exit node already */
    void handleStart(boolean exitOffered) {
        programRunning = true;
        offeredAtStart = exitOffered;
        lastOutput = Optional.empty();
    }

    /** Resets the state when the program exits; the last known error is kept as the reason. */
    void handleExit() {
        programRunning = false;
        state = IpnNotification.State.NO_STATE;
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
    Optional<String> handleOutput(String line) {
        if (line.startsWith("boot: ") && !PROGRESS_MESSAGE.matcher(line).find()) {
            lastOutput = Optional.of(line.replaceFirst("^boot: ([0-9/]+ [0-9:]+ )?", ""));
        }
        Matcher matcher = LOGIN_URL.matcher(line);
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    /** Returns the reason of the exit, if it is not a known error. */
    Optional<Problem> unknownExitReason() {
        return knownError.isPresent()
                ? Optional.empty()
                : lastOutput.map(output -> Problem.warning(
                        Location.machine("tailscale"),
                        "containerboot exited: " + output,
                        "set CULVERT_LOG=debug to see its output"));
    }

    void setState(IpnNotification.State next) {
        state = next;
        if (next == IpnNotification.State.RUNNING) {
            url = Optional.empty();
            knownError = Optional.empty();
        }
    }

    boolean isRunning() {
        return programRunning && state == IpnNotification.State.RUNNING;
    }

    /** Records that a user has to log the node in. */
    Problem setLoginUrl(String loginUrl) {
        url = Optional.of(loginUrl);
        return Problem.warning(
                Location.machine("tailscale"),
                "waiting for login: " + loginUrl,
                "open the latest URL (a new one is issued every minute), or set TS_AUTHKEY for a login without a"
                        + " browser");
    }

    void setKnownError(Problem problem) {
        knownError = Optional.of(problem);
    }

    void clearKnownError() {
        knownError = Optional.empty();
    }

    /** @return whether the exit node is advertised for the first time since the program was started */
    boolean setStatus(TailscaleStatus current, boolean exitOffered) {
        status = Optional.of(current);
        boolean first = exitOffered && !offered;
        offered = exitOffered;
        return first;
    }

    /**
     * Returns a warning if the exit node is advertised but not approved. A Headscale server reports the approval to the
     * node only at login, so it is unknown for an advertisement made later.
     */
    Optional<Problem> missingApproval() {
        if (!isRunning()
                || !offered
                || !isApprovalReported()
                || status.filter(TailscaleStatus::exitApproved).isPresent()) {
            return Optional.empty();
        }
        String id = status.map(TailscaleStatus::id).orElse("");
        return Optional.of(Problem.warning(
                Location.machine("tailscale"),
                "the exit node is not approved at the control server yet, so it cannot be used",
                settings.usesTailscalesControlServer()
                        ? "approve it: https://login.tailscale.com/admin/machines, this node, Edit route settings, Use"
                                + " as exit node; or add it to autoApprovers in the tailnet policy file"
                        : "approve it: headscale nodes approve-routes --identifier "
                                + (id.matches("[0-9]+") ? id : "ID")
                                + " --routes 0.0.0.0/0,::/0; or add it to autoApprovers in the policy file"));
    }

    private boolean isApprovalReported() {
        return offeredAtStart || settings.usesTailscalesControlServer();
    }

    /** Returns a warning if the control server changed the node's name because the requested one is in use. */
    Optional<Problem> changedName() {
        String name = status.map(TailscaleStatus::name).orElse("").replaceFirst("\\..*", "");
        String requestedHostName =
                status.map(TailscaleStatus::hostName).orElse("").toLowerCase(Locale.ROOT);
        boolean numbered = name.matches(Pattern.quote(requestedHostName) + "-[0-9a-z]{1,8}");
        return requestedHostName.isEmpty() || !numbered
                ? Optional.empty()
                : Optional.of(Problem.warning(
                        Location.setting("TS_HOSTNAME"),
                        "the tailnet already has a node named '" + requestedHostName + "', so this node is named '"
                                + name + "'",
                        "remove the old node, and keep this node's state: mount a volume at TS_STATE_DIR"));
    }

    /** Returns a short description of the state. */
    @Override
    public String toString() {
        String link = settings.interfaceName();
        String reason = knownError.map(problem -> ": " + problem.message()).orElse("");
        if (url.isPresent()) {
            return link + ", waiting for login: " + url.get();
        }
        return switch (state) {
            case RUNNING -> link + status.map(this::runningText).orElse(", running") + reason;
            case NEEDS_LOGIN -> link + ", logged out" + reason;
            case NEEDS_APPROVAL -> link + ", waiting for approval by an administrator";
            case NO_STATE, IN_USE_BY_ANOTHER, STOPPED, STARTING ->
                link + (programRunning ? ", starting" : ", down") + reason;
        };
    }

    private String runningText(TailscaleStatus current) {
        String addresses = current.addresses().stream().map(Prefix::text).collect(Collectors.joining(", "));
        String exit = !settings.advertisesExitNode()
                ? "does not advertise an exit node, as configured"
                : !offered
                        ? "advertises exit node once the tunnel is connected"
                        : current.exitApproved() || !isApprovalReported()
                                ? "advertises exit node"
                                : "advertises exit node, not approved yet";
        return ", Tailscale " + current.version() + ", " + current.name() + " (" + addresses + "), " + exit;
    }
}
