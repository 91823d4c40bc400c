// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

import io.culvert.diagnostics.Counted;
import io.culvert.networkfile.Topology;
import java.util.ArrayList;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * Renders a network as an image: peers on a circle, a hub in its centre, a colour for each subnet. The output is
 * deterministic, so that images can be compared.
 */
public final class GraphSvg {

    private static final double DOT = 9;
    private static final double SPACING = 44;
    private static final double MIN_RADIUS = 110;
    private static final double MARGIN = 28;
    private static final double LETTER = 7.6;
    private static final double LEGEND_LINE = 22;

    private record Point(double x, double y) {}

    private final Graph graph;
    private final OptionalInt hub;
    private final double radius;
    private final double side;
    private final double width;
    private final double centreY;
    private final List<Point> positions = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private final Formatter svg = new Formatter(text, Locale.ROOT);

    private GraphSvg(Graph graph) {
        this.graph = graph;
        this.hub = graph.hub();
        int nodesOnCircle = graph.nodes().size() - (hub.isPresent() ? 1 : 0);
        this.radius = Math.max(MIN_RADIUS, nodesOnCircle * SPACING / (2 * Math.PI));
        int longest = graph.nodes().stream()
                .mapToInt(node -> node.name().length())
                .max()
                .orElse(0);
        this.side = MARGIN + DOT + 8 + longest * LETTER;
        this.width = 2 * (radius + side);
        this.centreY = MARGIN + 20 + radius;
        int next = 0;
        for (int i = 0; i < graph.nodes().size(); i++) {
            boolean inMiddle = hub.isPresent() && hub.getAsInt() == i;
            positions.add(inMiddle ? new Point(width / 2, centreY) : onCircle(next, nodesOnCircle));
            next += inMiddle ? 0 : 1;
        }
    }

    public static String of(Topology topology) {
        return new GraphSvg(Graph.of(topology)).draw();
    }

    /** Returns a point on the circle, starting at the top, clockwise. */
    private Point onCircle(int number, int of) {
        double angle = 2 * Math.PI * number / of - Math.PI / 2;
        return new Point(width / 2 + radius * Math.cos(angle), centreY + radius * Math.sin(angle));
    }

    private String draw() {
        double legend = graph.subnets().size() * LEGEND_LINE;
        double height = 2 * centreY + legend;
        svg.format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\""
                        + " font-family=\"system-ui, sans-serif\" font-size=\"13\">\n",
                width, height, width, height);
        svg.format(
                "<title>%s, %s</title>\n",
                Counted.of(graph.nodes().size(), "peer"),
                Counted.of(graph.edges().size(), "link"));
        svg.format("<rect width=\"100%%\" height=\"100%%\" rx=\"12\" fill=\"#fff\"/>\n");
        for (int i = 0; i < graph.subnets().size(); i++) {
            svg.format(
                    "<marker id=\"to%d\" viewBox=\"0 0 8 8\" refX=\"14\" refY=\"4\" markerWidth=\"6\" markerHeight=\"6\""
                            + " orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"%s\"/></marker>\n",
                    i, Palette.of(i));
        }
        graph.edges().forEach(this::edge);
        for (int i = 0; i < graph.nodes().size(); i++) {
            node(i);
        }
        for (int i = 0; i < graph.subnets().size(); i++) {
            double y = 2 * centreY - 4 + i * LEGEND_LINE;
            svg.format(
                    "<path d=\"M%.1f %.1fh26\" stroke=\"%s\" stroke-width=\"3\"/><text x=\"%.1f\" y=\"%.1f\" fill=\"#333\">%s</text>\n",
                    MARGIN,
                    y,
                    Palette.of(i),
                    MARGIN + 34,
                    y + 4.5,
                    graph.subnets().get(i));
        }
        return text.append("</svg>\n").toString();
    }

    /** Draws a link: straight in the first subnet, curved in others, so that none hides another. */
    private void edge(Graph.Edge edge) {
        Point from = positions.get(edge.from());
        Point to = positions.get(edge.to());
        double bend = edge.subnet() * 0.09;
        double x = (from.x + to.x) / 2 + (to.y - from.y) * bend;
        double y = (from.y + to.y) / 2 - (to.x - from.x) * bend;
        svg.format(
                "<path d=\"M%.1f %.1fQ%.1f %.1f %.1f %.1f\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" stroke-opacity=\"%s\"%s/>\n",
                from.x,
                from.y,
                x,
                y,
                to.x,
                to.y,
                Palette.of(edge.subnet()),
                edge.toExitNode() ? "2.4" : "1.5",
                edge.toExitNode() || graph.edges().size() < 60 ? "0.85" : "0.35",
                edge.toExitNode() ? " marker-end=\"url(#to" + edge.subnet() + ")\"" : "");
    }

    private void node(int number) {
        Graph.Node node = graph.nodes().get(number);
        Point at = positions.get(number);
        svg.format(
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.0f\" fill=\"%s\" stroke=\"#222\" stroke-width=\"1.6\"%s/>\n",
                at.x,
                at.y,
                DOT,
                node.exit() ? "#FFE9A8" : "#fff",
                node.external() ? " stroke-dasharray=\"3 2.5\"" : "");
        if (node.exit()) {
            svg.format(
                    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.0f\" fill=\"none\" stroke=\"#222\" stroke-width=\"1.2\"/>\n",
                    at.x, at.y, DOT - 4);
        }
        double offset = at.x - width / 2;
        boolean isCentred = Math.abs(offset) < 1;
        double labelX = isCentred ? 0 : Math.signum(offset) * (DOT + 6);
        double labelY = isCentred ? (at.y <= centreY ? -DOT - 7 : DOT + 17) : 4.5;
        svg.format(
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"#111\">%s</text>\n",
                at.x + labelX, at.y + labelY, isCentred ? "middle" : offset < 0 ? "end" : "start", node.name());
    }
}
