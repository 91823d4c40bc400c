package io.culvert.topology;

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
 * Reads YAML 1.2, and so JSON, into a tree. From the events, not the library's own tree: that is built recursively, and a
 * file of brackets would overflow the stack.
 */
final class TreeReader {

    /** A network file needs eight. */
    private static final int DEEPEST = 40;

    private static final int LARGEST = 64 << 20;

    /** A list or mapping that is not at its end yet. */
    private static final class Open {
        private final Event start;
        private final List<Tree> items = new ArrayList<>();
        private final List<Tree.Entry> entries = new ArrayList<>();
        private Optional<Tree> key = Optional.empty();

        Open(Event start) {
            this.start = start;
        }
    }

    private final Report report;
    private final Deque<Open> open = new ArrayDeque<>();
    private final Map<Anchor, Tree> anchors = new HashMap<>();
    private Optional<Tree> root = Optional.empty();
    private int documents;

    TreeReader(Report report) {
        this.report = report;
    }

    /** Empty where there is no tree; then that is reported. */
    Optional<Tree> read(String text) {
        LoadSettings settings =
                LoadSettings.builder().setLabel("").setCodePointLimit(LARGEST).build();
        try {
            for (Event event : new Parse(settings).parseString(plain(text))) {
                if (!take(event)) {
                    return Optional.empty();
                }
            }
        } catch (MarkedYamlEngineException e) {
            report(e);
            return Optional.empty();
        } catch (YamlEngineException e) {
            report.error(
                    "this is not YAML: " + firstLine(String.valueOf(e.getMessage())), "write plain text, in UTF-8");
            return Optional.empty();
        }
        if (root.isEmpty()) {
            report.error("this file is empty", "write 'version: v1', and what docs/network-file.md tells");
        }
        return root;
    }

    /** JSON may be indented by tabs, which YAML forbids; inside of a JSON string none can stand. */
    private static String plain(String text) {
        String bare = text.startsWith("\uFEFF") ? text.substring(1) : text;
        return bare.stripLeading().startsWith("{") ? bare.replace('\t', ' ') : bare;
    }

    private void report(MarkedYamlEngineException e) {
        Optional<Mark> mark = e.getProblemMark().or(e::getContextMark);
        report.error(
                mark.map(Mark::getLine).orElse(-1) + 1,
                mark.map(Mark::getColumn).orElse(-1) + 1,
                "this is not YAML: " + firstLine(String.valueOf(e.getProblem())),
                "look at the indentation, quotes and brackets here and in the lines above");
    }

    private static String firstLine(String message) {
        return message.lines().findFirst().orElse("it cannot be read");
    }

    /** False where reading on would be of no use. */
    private boolean take(Event event) {
        switch (event.getEventId()) {
            case DocumentStart -> {
                documents++;
                if (documents > 1) {
                    report.error(
                            line(event),
                            column(event),
                            "a second document begins here",
                            "write one network into one file, without '---' between its parts");
                    return false;
                }
            }
            case SequenceStart, MappingStart -> {
                if (open.size() == DEEPEST) {
                    report.error(line(event), column(event), "this is nested too deeply", "close the brackets before");
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
                // Comments, and the ends of the document and the text.
            }
        }
        return true;
    }

    private boolean alias(AliasEvent event) {
        Tree meant = anchors.get(event.getAlias());
        if (meant == null) {
            report.error(
                    line(event),
                    column(event),
                    "nothing before this place is called &" + event.getAlias().getValue(),
                    "write &" + event.getAlias().getValue() + " before what is meant, above this line");
            return false;
        }
        add(meant);
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
                        parent.key.get(), "a key cannot be " + parent.key.get().kind(), "write a single word");
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
