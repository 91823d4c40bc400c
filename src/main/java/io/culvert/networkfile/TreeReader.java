// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.common.Anchor;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.events.SequenceStartEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Parses YAML 1.2, and thereby JSON, into a tree. It uses the parser's events, as the library builds its own tree
 * recursively and a file of nested brackets would overflow the stack.
 */
final class TreeReader {

    /** The maximum depth; a network file needs eight. */
    private static final int MAX_DEPTH = 40;

    private static final int MAX_CHARACTERS = 64 << 20;

    /** A list or mapping that has not ended yet. */
    private static final class Open {
        private final Event start;
        private final List<Tree> items = new ArrayList<>();
        private final List<Tree.Entry> entries = new ArrayList<>();
        private Optional<Tree> key = Optional.empty();

        Open(Event start) {
            this.start = start;
        }
    }

    private final NetworkFileProblems report;
    private final Deque<Open> open = new ArrayDeque<>();
    private final Map<Anchor, Tree> anchors = new HashMap<>();
    private Optional<Tree> root = Optional.empty();
    private int documents;

    TreeReader(NetworkFileProblems report) {
        this.report = report;
    }

    /** Parses a text; empty where an error was reported. */
    Optional<Tree> read(String text) {
        LoadSettings settings = LoadSettings.builder()
                .setLabel("")
                .setCodePointLimit(MAX_CHARACTERS)
                .build();
        try {
            for (Event event : new Parse(settings).parseString(plain(text))) {
                if (!handle(event)) {
                    return Optional.empty();
                }
            }
        } catch (MarkedYamlEngineException e) {
            report(e);
            return Optional.empty();
        } catch (YamlEngineException e) {
            report.error(
                    "this is not valid YAML: " + firstLine(String.valueOf(e.getMessage())), "use plain text in UTF-8");
            return Optional.empty();
        }
        if (root.isEmpty()) {
            report.error(
                    "this file is empty", "add 'version: v1' and the network; for the format see docs/network-file.md");
        }
        return root;
    }

    /**
     * Returns the text in a form that YAML accepts: JSON may be indented with tabs, which JSON strings cannot contain.
     */
    private static String plain(String text) {
        String bare = text.startsWith("\uFEFF") ? text.substring(1) : text;
        return bare.stripLeading().startsWith("{") ? bare.replace('\t', ' ') : bare;
    }

    private void report(MarkedYamlEngineException e) {
        Optional<Mark> mark = e.getProblemMark().or(e::getContextMark);
        report.error(
                mark.map(Mark::getLine).orElse(-1) + 1,
                mark.map(Mark::getColumn).orElse(-1) + 1,
                "this is not valid YAML: " + firstLine(String.valueOf(e.getProblem())),
                "check indentation, quotes and brackets in this line and above");
    }

    private static String firstLine(String message) {
        return message.lines().findFirst().orElse("cannot be parsed");
    }

    /** Handles an event; returns false to stop parsing. */
    private boolean handle(Event event) {
        switch (event.getEventId()) {
            case DocumentStart -> {
                documents++;
                if (documents > 1) {
                    report.error(
                            line(event),
                            column(event),
                            "second document",
                            "use one network per file, without '---' between its parts");
                    return false;
                }
            }
            case SequenceStart, MappingStart -> {
                if (open.size() == MAX_DEPTH) {
                    report.error(line(event), column(event), "nested too deeply", "close the preceding brackets");
                    return false;
                }
                open.push(new Open(event));
            }
            case SequenceEnd -> {
                Open ended = open.pop();
                put(ended.start, new Tree.Items(List.copyOf(ended.items), line(ended.start), column(ended.start)));
            }
            case MappingEnd -> {
                Open ended = open.pop();
                put(ended.start, new Tree.Entries(List.copyOf(ended.entries), line(ended.start), column(ended.start)));
            }
            case Scalar -> {
                ScalarEvent scalar = (ScalarEvent) event;
                put(
                        event,
                        new Tree.Scalar(
                                scalar.getValue(),
                                scalar.getScalarStyle() == ScalarStyle.PLAIN,
                                line(event),
                                column(event)));
            }
            case Alias -> {
                return alias((AliasEvent) event);
            }
            default -> {
                // Comments, and the ends of the document and of the stream.
            }
        }
        return true;
    }

    private boolean alias(AliasEvent event) {
        Tree target = anchors.get(event.getAlias());
        if (target == null) {
            report.error(
                    line(event),
                    column(event),
                    "undefined alias *" + event.getAlias().getValue(),
                    "define the anchor &" + event.getAlias().getValue() + " above this line");
            return false;
        }
        add(target);
        return true;
    }

    private void put(Event start, Tree tree) {
        if (start instanceof NodeEvent node) {
            node.getAnchor().ifPresent(anchor -> anchors.put(anchor, tree));
        }
        add(tree);
    }

    private void add(Tree tree) {
        Open parent = open.peek();
        if (parent == null) {
            root = Optional.of(tree);
        } else if (parent.start instanceof SequenceStartEvent) {
            parent.items.add(tree);
        } else if (parent.key.isEmpty()) {
            parent.key = Optional.of(tree);
        } else {
            if (parent.key.get() instanceof Tree.Scalar key) {
                parent.entries.add(new Tree.Entry(key, tree));
            } else {
                report.error(
                        parent.key.get(), "a key cannot be " + parent.key.get().kind(), "use a single word");
            }
            parent.key = Optional.empty();
        }
    }

    private static int line(Event event) {
        return event.getStartMark().map(Mark::getLine).orElse(-1) + 1;
    }

    private static int column(Event event) {
        return event.getStartMark().map(Mark::getColumn).orElse(-1) + 1;
    }
}
