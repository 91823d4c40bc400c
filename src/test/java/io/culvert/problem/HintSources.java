package io.culvert.problem;

import static java.util.stream.Collectors.joining;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.CaseTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ConditionalExpressionTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.LambdaExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.ReturnTree;
import com.sun.source.tree.SwitchExpressionTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Every hint that the program's sources hold, found by its parameter: an argument for one that is called {@code cure}. Of a
 * hint that is put together, the parts that stand in the source count.
 */
final class HintSources {

    private static final Path SOURCES = Path.of("src/main/java/io/culvert");

    private static final String GAP = "\0";

    private static final Set<String> PARAMETERS = Set.of("cure", "hint");

    /**
     * A hint as the source has it.
     *
     * @param area the package below io.culvert
     * @param text with a gap for each part that is known at run time only
     */
    record Template(String area, String file, String text) {

        boolean matches(String hint) {
            String regex = Stream.of(text.split(GAP, -1)).map(Pattern::quote).collect(joining(".+"));
            return Pattern.compile(regex, Pattern.DOTALL).matcher(hint).matches();
        }

        /** @param name its text, with … for each gap */
        boolean isCalled(String name) {
            return shown().equals(name);
        }

        private String shown() {
            return text.replace(GAP, "…");
        }

        int literal() {
            return text.replace(GAP, "").length();
        }

        @Override
        public String toString() {
            return area + ": " + shown() + " (" + file + ")";
        }
    }

    private final List<Template> templates = new ArrayList<>();
    private final Map<String, Set<Integer>> takers = new HashMap<>();

    private HintSources() {}

    static List<Template> all() throws IOException {
        HintSources sources = new HintSources();
        List<CompilationUnitTree> units = parse();
        units.forEach(sources::declarations);
        units.forEach(sources::uses);
        return sources.templates.stream().distinct().toList();
    }

    private static List<CompilationUnitTree> parse() throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (Stream<Path> files = Files.walk(SOURCES);
                var manager = compiler.getStandardFileManager(null, null, null)) {
            List<Path> all = files.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .toList();
            JavacTask task = (JavacTask)
                    compiler.getTask(null, manager, _ -> {}, List.of(), null, manager.getJavaFileObjectsFromPaths(all));
            List<CompilationUnitTree> units = new ArrayList<>();
            task.parse().forEach(units::add);
            return units;
        }
    }

    private void declarations(CompilationUnitTree unit) {
        new TreeScanner<Void, String>() {
            @Override
            public Void visitClass(ClassTree type, String outer) {
                return super.visitClass(type, type.getSimpleName().toString());
            }

            @Override
            public Void visitMethod(MethodTree method, String type) {
                String name = method.getName().contentEquals("<init>")
                        ? "new " + type
                        : method.getName().toString();
                for (int i = 0; i < method.getParameters().size(); i++) {
                    if (isHint(method.getParameters().get(i))) {
                        boolean open =
                                method.getParameters().getLast().toString().contains("...");
                        String taker =
                                open ? name : key(name, method.getParameters().size());
                        takers.computeIfAbsent(taker, _ -> new HashSet<>()).add(i);
                    }
                }
                return super.visitMethod(method, type);
            }
        }.scan(unit, "");
    }

    private static boolean isHint(VariableTree parameter) {
        return PARAMETERS.contains(parameter.getName().toString());
    }

    private static String key(String method, int arguments) {
        return method + "/" + arguments;
    }

    private void uses(CompilationUnitTree unit) {
        Path file =
                SOURCES.toAbsolutePath().relativize(Path.of(unit.getSourceFile().toUri()));
        String area = Optional.ofNullable(file.getParent()).map(Path::toString).orElse("");
        Unit texts = new Unit(unit);
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitMethodInvocation(MethodInvocationTree call, Void nothing) {
                take(name(call), call.getArguments());
                return super.visitMethodInvocation(call, null);
            }

            @Override
            public Void visitNewClass(NewClassTree made, Void nothing) {
                take("new " + made.getIdentifier(), made.getArguments());
                return super.visitNewClass(made, null);
            }

            @Override
            public Void visitMethod(MethodTree method, Void nothing) {
                if (file.endsWith("Hints.java")
                        && method.getBody() != null
                        && !method.getName().contentEquals("here")) {
                    texts.returned(method.getName().toString()).forEach(this::add);
                }
                return super.visitMethod(method, null);
            }

            private void take(String name, List<? extends ExpressionTree> arguments) {
                Stream.of(name, key(name, arguments.size()))
                        .flatMap(taker -> takers.getOrDefault(taker, Set.of()).stream())
                        .filter(number -> number < arguments.size())
                        .flatMap(number -> texts.of(arguments.get(number), 0).stream())
                        .forEach(this::add);
            }

            private void add(String text) {
                if (!text.replace(GAP, "").isBlank()) {
                    templates.add(new Template(area, file.getFileName().toString(), text.replaceAll(GAP + "+", GAP)));
                }
            }
        }.scan(unit, null);
    }

    private static String name(MethodInvocationTree call) {
        return call.getMethodSelect() instanceof MemberSelectTree select
                ? select.getIdentifier().toString()
                : call.getMethodSelect().toString();
    }

    /** What expressions of one source file may come to. */
    private static final class Unit {

        private static final int DEEPEST = 4;

        private final Map<String, List<ExpressionTree>> returns = new HashMap<>();
        private final Map<String, List<ExpressionTree>> values = new HashMap<>();
        private final Set<String> methods = new HashSet<>();
        private final Set<String> overloaded = new HashSet<>();

        Unit(CompilationUnitTree unit) {
            new TreeScanner<Void, String>() {
                @Override
                public Void visitMethod(MethodTree method, String outer) {
                    String name = method.getName().toString();
                    if (!methods.add(name)) {
                        overloaded.add(name);
                    }
                    return super.visitMethod(method, name);
                }

                @Override
                public Void visitReturn(ReturnTree value, String method) {
                    if (method != null && value.getExpression() != null) {
                        returns.computeIfAbsent(method, _ -> new ArrayList<>()).add(value.getExpression());
                    }
                    return super.visitReturn(value, method);
                }

                @Override
                public Void visitVariable(VariableTree variable, String method) {
                    if (variable.getInitializer() != null) {
                        values.computeIfAbsent(variable.getName().toString(), _ -> new ArrayList<>())
                                .add(variable.getInitializer());
                    }
                    return super.visitVariable(variable, method);
                }
            }.scan(unit, null);
        }

        List<String> returned(String method) {
            return union(returns.getOrDefault(method, List.of()), 0);
        }

        private List<String> union(List<? extends Tree> all, int depth) {
            return all.stream()
                    .flatMap(each -> of(each, depth + 1).stream())
                    .distinct()
                    .toList();
        }

        List<String> of(Tree tree, int depth) {
            if (depth > DEEPEST) {
                return List.of(GAP);
            }
            return switch (tree) {
                case LiteralTree literal when literal.getValue() instanceof String text -> List.of(text);
                case ParenthesizedTree inner -> of(inner.getExpression(), depth);
                case BinaryTree sum
                when sum.getKind() == Tree.Kind.PLUS ->
                    of(sum.getLeftOperand(), depth).stream()
                            .flatMap(left ->
                                    of(sum.getRightOperand(), depth).stream().map(right -> left + right))
                            .toList();
                case ConditionalExpressionTree either ->
                    union(List.of(either.getTrueExpression(), either.getFalseExpression()), depth);
                case SwitchExpressionTree cases ->
                    union(cases.getCases().stream().map(CaseTree::getBody).toList(), depth);
                case IdentifierTree name
                when values.containsKey(name.getName().toString()) ->
                    union(values.get(name.getName().toString()), depth);
                case LambdaExpressionTree later -> of(later.getBody(), depth);
                case MethodInvocationTree call -> call(call, depth);
                default -> List.of(GAP);
            };
        }

        private List<String> call(MethodInvocationTree call, int depth) {
            if (call.getMethodSelect() instanceof MemberSelectTree select) {
                if (!select.getIdentifier().contentEquals("orElse")) {
                    return List.of(GAP);
                }
                List<Tree> either = new ArrayList<>(call.getArguments());
                if (select.getExpression() instanceof MethodInvocationTree mapped
                        && name(mapped).equals("map")
                        && mapped.getArguments().getFirst() instanceof LambdaExpressionTree lambda) {
                    either.add(lambda.getBody());
                }
                return union(either, depth);
            }
            String name = call.getMethodSelect().toString();
            return returns.containsKey(name) && !overloaded.contains(name)
                    ? union(returns.get(name), depth)
                    : List.of(GAP);
        }
    }
}
