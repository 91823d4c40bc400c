package io.culvert.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator.ReplaceUnderscores;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayNameGeneration(ReplaceUnderscores.class)
class SocketNameTest {

    @ParameterizedTest
    @ValueSource(strings = {"203.0.113.7", "2001:db8::7"})
    void an_endpoint_comes_back_as_it_was(String address) throws Exception {
        InetSocketAddress endpoint = new InetSocketAddress(InetAddress.getByName(address), 51820);

        assertThat(SocketName.decode(SocketName.encode(endpoint))).isEqualTo(endpoint);
    }

    @Test
    void an_address_that_is_one_link_s_keeps_the_link() throws Exception {
        byte[] address = InetAddress.getByName("fe80::7").getAddress();
        InetSocketAddress endpoint = new InetSocketAddress(Inet6Address.getByAddress(null, address, 3), 51820);

        InetSocketAddress back = SocketName.decode(SocketName.encode(endpoint));

        assertThat(back.getAddress())
                .isInstanceOfSatisfying(
                        Inet6Address.class, it -> assertThat(it.getScopeId()).isEqualTo(3));
    }

    @Test
    void what_is_cut_short_or_of_another_family_is_refused() throws Exception {
        byte[] whole = SocketName.encode(new InetSocketAddress(InetAddress.getByName("2001:db8::7"), 51820));
        byte[] cut = java.util.Arrays.copyOf(whole, 16);

        assertThatIllegalArgumentException().isThrownBy(() -> SocketName.decode(cut));
        assertThatIllegalArgumentException().isThrownBy(() -> SocketName.decode(new byte[28]));
    }
}
