package io.culvert.exitnode;

import io.culvert.ip.Family;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The same story in a tailnet: what a user of Tailscale or Headscale was promised. */
@Tag("tailnet")
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class TailscaleExitTest {

    private final Tailnet tailnet = Tailnet.usual();

    @AfterEach
    void closeLab() {
        tailnet.close();
    }

    @Test
    void a_phone_exits_by_the_provider_in_both_families() {
        tailnet.connect(Map.of());
        tailnet.phoneExits();

        tailnet.phoneGoesByTheProvider(Family.values());
        tailnet.world.localTrafficGoesByTheProvider(Family.values());
    }
}
