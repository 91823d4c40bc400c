package io.culvert.lab;

import io.culvert.lab.Figure.What;
import io.culvert.migration.TwoMachines;

/**
 * How long a download and an upload pause while a network appears that both sides are on, and while it goes again. Every byte is
 * looked at: one that were missing would end it.
 */
final class MigrationBench {

    private final Figures figures;
    private final int rounds;

    MigrationBench(Figures figures, int rounds) {
        this.figures = figures;
        this.rounds = rounds;
    }

    void measure() {
        double[] moved = new double[rounds];
        double[] there = new double[rounds];
        double[] back = new double[rounds];
        try (TwoMachines two = new TwoMachines();
                Transfer download =
                        Transfer.begin(two.b().space(), two.a().space(), two.a().inner(), 7000);
                Transfer upload =
                        Transfer.begin(two.a().space(), two.b().space(), two.b().inner(), 7001)) {
            two.a().migrate(two.b());
            for (int round = 0; round < rounds; round++) {
                two.lab().plug(1);
                download.longestPause();
                upload.longestPause();
                long begin = System.nanoTime();
                two.lab().plug(0);
                two.a().awaitNews("endpoint changed to " + MeshLab.lan4(1));
                moved[round] = (System.nanoTime() - begin) / 1e6;
                there[round] = longest(download, upload);
                two.lab().unplug(0);
                two.a().awaitNews("endpoint changed to " + MeshLab.public4(1));
                back[round] = longest(download, upload);
                two.lab().unplug(1);
            }
            upload.finish();
            download.finish();
        } catch (Exception e) {
            throw new AssertionError("the transfer between two machines", e);
        }
        figures.add(Figure.of(What.MOVE, Figure.JVM, moved));
        figures.add(Figure.of(What.PAUSE, Figure.JVM, there));
        figures.add(Figure.of(What.PAUSE_BACK, Figure.JVM, back));
    }

    private static double longest(Transfer one, Transfer other) {
        one.awaitMore();
        other.awaitMore();
        return Math.max(one.longestPause().toNanos(), other.longestPause().toNanos()) / 1e6;
    }
}
