// SPDX-License-Identifier: Apache-2.0
package io.culvert.diagnostics;

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
 * Finds all hints in the program's sources: the arguments for parameters named {@code hint}. For a hint that is composed at
 * run time, the literal parts are found.
 */
final class HintSources {

    private static final Path SOURCES = Path.of("src/main/java/io/culvert");

    private static final String GAP = "\0";

    private static final String PARAMETER = "hint";

    /**
     * A hint in the sources.
     *
     * @param area the package below io.culvert
     * @param text the hint, with a gap for each part that is known only at run time
     */
    record Template(String area, String file, String text) {

        boolean matches(String hint) {
            String regex = Stream.of(text.split(GAP, -1)).map(Pattern::quote).collect(joining(".+"));
            return Pattern.compile(regex, Pattern.DOTALL).matcher(hint).matches();
        }

        /** @param name the text of the hint, with … for each gap */
        boolean isCalled(String name) {
            return shown().equals(name);
        }

        private String shown() {
            return text.replace(GAP, "…");
        }

        int literalLength() {
            return text.replace(GAP, "").length();
        }

        @Override
        public String toString() {
            return area + ": " + shown() + " (" + file + ")";
        }
    }

    private final List<Template> templates = new ArrayList<>();
    private final Map<String, Set<Integer>> hintParameters = new HashMap<>();

    private HintSources() {}

    static List<Template> all() throws IOException {
        HintSources sources = new HintSources();
        List<CompilationUnitTree> units = parse();
        units.forEach(sources::scanDeclarations);
        units.forEach(sources::scanCalls);
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

    private void scanDeclarations(CompilationUnitTree unit) {
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
                        boolean isVarargs =
                                method.getParameters().getLast().toString().contains("...");
                        String signature = isVarargs
                                ? name
                                : key(name, method.getParameters().size());
                        hintParameters
                                .computeIfAbsent(signature, _ -> new HashSet<>())
                                .add(i);
                    }
                }
                return super.visitMethod(method, type);
            }
        }.scan(unit, "");
    }

    private static boolean isHint(VariableTree parameter) {
        return parameter.getName().contentEquals(PARAMETER);
    }

    private static String key(String method, int arguments) {
        return method + "/" + arguments;
    }

    private void scanCalls(CompilationUnitTree unit) {
        Path file =
                SOURCES.toAbsolutePath().relativize(Path.of(unit.getSourceFile().toUri()));
        String area = Optional.ofNullable(file.getParent()).map(Path::toString).orElse("");
        ExpressionEvaluator evaluator = new ExpressionEvaluator(unit);
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitMethodInvocation(MethodInvocationTree call, Void nothing) {
                addHints(name(call), call.getArguments());
                return super.visitMethodInvocation(call, null);
            }

            @Override
            public Void visitNewClass(NewClassTree creation, Void nothing) {
                addHints("new " + creation.getIdentifier(), creation.getArguments());
                return super.visitNewClass(creation, null);
            }

            @Override
            public Void visitMethod(MethodTree method, Void nothing) {
                if (file.endsWith("Hints.java")
                        && method.getBody() != null
                        && !method.getName().contentEquals("here")) {
                    evaluator.returnedTexts(method.getName().toString()).forEach(this::add);
                }
                return super.visitMethod(method, null);
            }

            private void addHints(String name, List<? extends ExpressionTree> arguments) {
                Stream.of(name, key(name, arguments.size()))
                        .flatMap(signature -> hintParameters.getOrDefault(signature, Set.of()).stream())
                        .filter(index -> index < arguments.size())
                        .flatMap(index -> evaluator.of(arguments.get(index), 0).stream())
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

    /** Evaluates the string expressions of one source file. */
    private static final class ExpressionEvaluator {

        private static final int MAX_DEPTH = 4;

        private final Map<String, List<ExpressionTree>> returns = new HashMap<>();
        private final Map<String, List<ExpressionTree>> values = new HashMap<>();
        private final Set<String> methods = new HashSet<>();
        private final Set<String> overloaded = new HashSet<>();

        ExpressionEvaluator(CompilationUnitTree unit) {
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

        List<String> returnedTexts(String method) {
            return union(returns.getOrDefault(method, List.of()), 0);
        }

        private List<String> union(List<? extends Tree> all, int depth) {
            return all.stream()
                    .flatMap(each -> of(each, depth + 1).stream())
                    .distinct()
                    .toList();
        }

        List<String> of(Tree tree, int depth) {
            if (depth > MAX_DEPTH) {
                return List.of(GAP);
            }
            return switch (tree) {
                case LiteralTree literalLength when literalLength.getValue() instanceof String text -> List.of(text);
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
