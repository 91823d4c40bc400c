// SPDX-License-Identifier: Apache-2.0
package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SockAddrTest {

    @ParameterizedTest
    @ValueSource(strings = {"203.0.113.7", "2001:db8::7"})
    void an_encoded_endpoint_is_decoded_unchanged(String address) throws Exception {
        InetSocketAddress endpoint = new InetSocketAddress(InetAddress.getByName(address), 51820);

        assertThat(SockAddr.decode(SockAddr.encode(endpoint))).isEqualTo(endpoint);
    }

    @Test
    void a_link_local_address_keeps_its_scope() throws Exception {
        byte[] address = InetAddress.getByName("fe80::7").getAddress();
        InetSocketAddress endpoint = new InetSocketAddress(Inet6Address.getByAddress(null, address, 3), 51820);

        InetSocketAddress decoded = SockAddr.decode(SockAddr.encode(endpoint));

        assertThat(decoded.getAddress())
                .isInstanceOfSatisfying(
                        Inet6Address.class, it -> assertThat(it.getScopeId()).isEqualTo(3));
    }

    @Test
    void truncated_addresses_and_other_families_are_rejected() throws Exception {
        byte[] encoded = SockAddr.encode(new InetSocketAddress(InetAddress.getByName("2001:db8::7"), 51820));
        byte[] truncated = java.util.Arrays.copyOf(encoded, 16);

        assertThatIllegalArgumentException().isThrownBy(() -> SockAddr.decode(truncated));
        assertThatIllegalArgumentException().isThrownBy(() -> SockAddr.decode(new byte[28]));
    }
}
