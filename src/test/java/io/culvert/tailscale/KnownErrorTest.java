// SPDX-License-Identifier: Apache-2.0
package io.culvert.tailscale;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The files contain the output of Tailscale 1.98.9 with Headscale 0.29.0. */
class KnownErrorTest {

    @ParameterizedTest
    @CsvSource({
        "key-used, KEY_USED",
        "key-expired, KEY_EXPIRED",
        "key-unknown, KEY_UNKNOWN",
        "flags-lost, FLAGS",
        "server-unreachable, UNREACHABLE",
    })
    void known_errors_are_found_in_the_output(String file, KnownError expected) {
        Set<KnownError> errors = knownErrorsIn(file);
        errors.remove(KnownError.BOOT_LIMIT);

        assertThat(errors).containsExactly(expected);
    }

    @Test
    void the_output_of_a_successful_login_has_no_known_error() {
        assertThat(knownErrorsIn("joins")).isEmpty();
    }

    @Test
    void a_login_that_is_not_completed_ends_at_containerboots_limit() {
        assertThat(knownErrorsIn("login-needed")).containsExactly(KnownError.BOOT_LIMIT);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "backend error: invalid key: API key does not exist | KEY_UNKNOWN",
                "You are logged out. The last login error was: invalid key: API key kAbCdEf not valid | KEY_USED",
                "backend error: requested tags [tag:exit] are invalid or not permitted | TAGS",
                "can't change --login-server without --force-reauth | OTHER_SERVER",
                "Received error: fetch control key: Get \"https://hs.example.net/key?v=138\": tls: failed to verify"
                        + " certificate: x509: certificate has expired or is not yet valid: current time"
                        + " 2020-01-01T00:00:10Z is before 2026-08-01T00:00:00Z | CLOCK",
                "Received error: fetch control key: Get \"https://hs.example.net/key?v=138\": x509: certificate signed by"
                        + " unknown authority | CERTIFICATE",
                "Unable to connect to the Tailscale coordination server to synchronize the state of your tailnet."
                        + " Peer reachability might degrade over time. | UNREACHABLE",
                "boot: 2026/11/22 17:08:04 ensuring that /dev/net/tun exists: permission denied | NO_TUN",
                "store.New: open /var/lib/tailscale/tailscaled.state: permission denied | STATE",
                "boot: Failed to enable IP forwarding: open /proc/sys/net/ipv4/ip_forward: read-only | FORWARDING",
                "flag provided but not defined: -advertise-exitnode | UNKNOWN_FLAG",
                "boot: 2026/11/22 17:08:04 tailscaled left running state (now in state \"NeedsLogin\"), exiting | LOGGED_OUT",
                "Received error: PollNetMap: initial fetch failed 404: node not found | REMOVED",
                "boot: 2026/11/22 17:08:04 machine authorization required, please visit the admin panel | APPROVAL",
                "boot: 2026/11/22 17:08:04 timed out waiting for tailscaled socket | BOOT_LIMIT",
            })
    void known_errors_are_found_in_other_messages(String line, KnownError expected) {
        assertThat(KnownError.findIn(line)).contains(expected);
    }

    @Test
    void each_known_error_has_a_hint() {
        assertThat(KnownError.values())
                .allSatisfy(
                        knownError -> assertThat(knownError.problem().hint()).isNotBlank());
    }

    @Test
    void saved_flags_are_read_from_the_command_that_would_keep_them() {
        List<String> flags = List.of("--login-server=http://198.51.100.2:8080");

        assertThat(lines("flags-lost").flatMap(line -> MissingFlags.findIn(line, flags).stream()))
                .containsExactly(List.of("--shields-up"));
    }

    @Test
    void a_login_server_that_is_no_longer_set_is_not_reset() {
        List<String> lost = lines("flags-lost")
                .flatMap(line -> MissingFlags.findIn(line, List.of("--shields-up")).stream())
                .findFirst()
                .orElseThrow();

        assertThat(MissingFlags.changesServer(lost)).isTrue();
    }

    private static Set<KnownError> knownErrorsIn(String file) {
        return lines(file)
                .map(KnownError::findIn)
                .flatMap(Optional::stream)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(KnownError.class)));
    }

    private static Stream<String> lines(String file) {
        return RecordedOutput.text(file + ".txt").lines();
    }
}
