// SPDX-License-Identifier: Apache-2.0
package io.culvert.lab;

import io.culvert.lab.Measurement.Metric;
import io.culvert.roaming.TwoMachines;

/**
 * Measures how long a download and an upload pause while both peers get a common LAN, and while it is removed again. Missing
 * data fails the benchmark.
 */
final class EndpointChangeBench {

    private final Measurements figures;
    private final int rounds;

    EndpointChangeBench(Measurements figures, int rounds) {
        this.figures = figures;
        this.rounds = rounds;
    }

    void measure() {
        double[] detection = new double[rounds];
        double[] pauseToLan = new double[rounds];
        double[] pauseFromLan = new double[rounds];
        try (TwoMachines machines = new TwoMachines();
                TcpTransfer download = TcpTransfer.start(
                        machines.b().namespace(),
                        machines.a().namespace(),
                        machines.a().tunnelAddresses(),
                        7000);
                TcpTransfer upload = TcpTransfer.start(
                        machines.a().namespace(),
                        machines.b().namespace(),
                        machines.b().tunnelAddresses(),
                        7001)) {
            machines.a().startSelection(machines.b());
            for (int round = 0; round < rounds; round++) {
                machines.lab().plug(1);
                download.takeLongestPause();
                upload.takeLongestPause();
                long begin = System.nanoTime();
                machines.lab().plug(0);
                machines.a().awaitLog("endpoint changed to " + MeshLab.lan4(1));
                detection[round] = (System.nanoTime() - begin) / 1e6;
                pauseToLan[round] = longestPause(download, upload);
                machines.lab().unplug(0);
                machines.a().awaitLog("endpoint changed to " + MeshLab.public4(1));
                pauseFromLan[round] = longestPause(download, upload);
                machines.lab().unplug(1);
            }
            upload.finish();
            download.finish();
        } catch (Exception e) {
            throw new AssertionError("the transfer between two machines", e);
        }
        figures.add(Measurement.of(Metric.MOVE, Measurement.JVM, detection));
        figures.add(Measurement.of(Metric.PAUSE, Measurement.JVM, pauseToLan));
        figures.add(Measurement.of(Metric.PAUSE_BACK, Measurement.JVM, pauseFromLan));
    }

    private static double longestPause(TcpTransfer first, TcpTransfer second) {
        first.awaitMore();
        second.awaitMore();
        return Math.max(
                        first.takeLongestPause().toNanos(),
                        second.takeLongestPause().toNanos())
                / 1e6;
    }
}
