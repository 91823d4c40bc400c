// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.device;

import io.culvert.wireguard.device.WireGuardDevice.Implementation;
import java.util.Locale;
import java.util.Optional;

/** The WireGuard implementation to use. */
public enum ImplementationChoice {
    /** The kernel's if it has one, otherwise the userspace program. */
    AUTO(Optional.empty()),
    KERNEL(Optional.of(Implementation.KERNEL)),
    USERSPACE(Optional.of(Implementation.USERSPACE));

    private final Optional<Implementation> only;

    ImplementationChoice(Optional<Implementation> only) {
        this.only = only;
    }

    /** Returns whether a device of this implementation may be used. */
    boolean permits(Implementation implementation) {
        return only.isEmpty() || only.get() == implementation;
    }

    /**
     * Returns the implementation that will be used.
     *
     * @param inKernel whether the kernel has WireGuard
     */
    public Implementation on(boolean inKernel) {
        return only.orElse(inKernel ? Implementation.KERNEL : Implementation.USERSPACE);
    }

    /** Returns the word by which it is set and shown. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
