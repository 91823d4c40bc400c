// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.culvert.diagnostics.Hints;
import io.culvert.diagnostics.ProblemException;
import io.culvert.linux.Errno;
import io.culvert.netlink.AttributeWriter;
import io.culvert.netlink.NetlinkMessage;
import io.culvert.netlink.ScriptedNetlinkSocket;
import io.culvert.netlink.ScriptedNetlinkSocket.Reply;
import io.culvert.wireguard.device.WireGuardDevice.Implementation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The choice of the implementation, with fake kernels with and without WireGuard. */
class ImplementationChoiceTest {

    private static final int NEW_LINK = 16;
    private static final int DELETE_LINK = 17;
    private static final int GET_LINK = 18;

    @TempDir
    Path directory;

    private final List<Integer> requests = new ArrayList<>();

    @Test
    void the_kernel_implementation_is_preferred_and_its_alias_set_in_the_same_batch() {
        WireGuardDevice device = devices(ImplementationChoice.AUTO, kernel(0)).create("wg0", 0);

        assertThat(device.implementation()).isEqualTo(Implementation.KERNEL);
        assertThat(requests).containsExactly(GET_LINK, NEW_LINK, NEW_LINK);
    }

    @Test
    void choosing_the_kernel_without_wireguard_is_reported() {
        assertProblem(
                3,
                "this kernel has no WireGuard",
                () -> devices(ImplementationChoice.KERNEL, kernel(Errno.EOPNOTSUPP))
                        .create("wg0", 0));
    }

    @Test
    void without_kernel_support_missing_userspace_requirements_are_reported() {
        assertProblem(
                3,
                "userspace WireGuard not found",
                () -> devices(ImplementationChoice.AUTO, kernel(Errno.EOPNOTSUPP))
                        .create("wg0", 0));
        assertProblem(
                3,
                "tun: the device does not exist",
                () -> devices(ImplementationChoice.USERSPACE, kernel(0)).create("wg0", 0));
    }

    @Test
    void a_missing_capability_is_reported() {
        assertProblem(
                3,
                Hints.here().netAdmin(),
                () -> devices(ImplementationChoice.AUTO, kernel(Errno.EPERM)).create("wg0", 0));
    }

    @Test
    void own_kernel_interfaces_are_found_and_foreign_ones_are_not() {
        assertThat(devices(ImplementationChoice.AUTO, kernelWith("wireguard", "culvert"))
                        .find("wg0"))
                .map(WireGuardDevice::implementation)
                .contains(Implementation.KERNEL);
        assertThat(devices(ImplementationChoice.AUTO, kernelWith("wireguard", ""))
                        .find("wg0"))
                .isEmpty();
        assertProblem(
                1,
                "it is not Culvert's",
                () -> devices(ImplementationChoice.AUTO, kernelWith("wireguard", ""))
                        .create("wg0", 0));
        assertProblem(
                1,
                "it is not Culvert's",
                () -> devices(ImplementationChoice.AUTO, kernelWith("veth", "")).create("wg0", 0));
    }

    @Test
    void an_own_interface_of_another_implementation_is_replaced() {
        assertProblem(
                3,
                "userspace WireGuard",
                () -> devices(ImplementationChoice.USERSPACE, kernelWith("wireguard", "culvert"))
                        .create("wg0", 0));
        assertThat(requests).contains(DELETE_LINK);
    }

    @Test
    void invalid_interface_names_are_rejected() {
        for (String name : List.of("", "..", "a/b", "sixteen-letters1", "a b")) {
            assertThatThrownBy(
                            () -> devices(ImplementationChoice.AUTO, kernel(0)).create(name, 0))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static void assertProblem(int exitStatus, String words, ThrowingCallable action) {
        assertThatThrownBy(action)
                .hasMessageContaining(words)
                .asInstanceOf(type(ProblemException.class))
                .returns(exitStatus, ProblemException::exitStatus);
    }

    private WireGuardDevices devices(ImplementationChoice choice, Function<NetlinkMessage, Reply> kernel) {
        Function<NetlinkMessage, Reply> recording = request -> {
            requests.add(request.type());
            return kernel.apply(request);
        };
        UserspaceProgram program = new UserspaceProgram(
                Optional.of(directory.resolve("gone")),
                List.of(),
                directory,
                directory.resolve("tun"),
                "off",
                Duration.ofSeconds(1));
        return new WireGuardDevices(
                choice,
                program,
                Optional.empty(),
                "culvert",
                () -> new ScriptedNetlinkSocket(recording),
                () -> new ScriptedNetlinkSocket(_ -> Reply.done(new NetlinkMessage(
                        0x10, 0, AttributeWriter.after(new byte[4]).u16(1, 0x21).toByteArray()))));
    }

    /** A fake kernel without interfaces that returns this errno when one is created. */
    private static Function<NetlinkMessage, Reply> kernel(int errno) {
        return request -> request.type() == GET_LINK || errno == 0 ? Reply.done() : Reply.refused(errno, "");
    }

    /** A fake kernel with an interface wg0. */
    private static Function<NetlinkMessage, Reply> kernelWith(String kind, String alias) {
        AttributeWriter link =
                AttributeWriter.after(new byte[16]).string(3, "wg0").nested(18, info -> info.string(1, kind));
        if (!alias.isEmpty()) {
            link.string(20, alias);
        }
        return request -> request.type() == GET_LINK
                ? Reply.done(new NetlinkMessage(NEW_LINK, 0, link.toByteArray()))
                : Reply.done();
    }
}
