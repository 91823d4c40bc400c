package io.culvert;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.Architectures;
import com.tngtech.archunit.library.GeneralCodingRules;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.DisplayNameGenerator;
import org.junit.jupiter.api.Test;

/** The floors of the house, and what nobody does in it. */
@DisplayNameGeneration(DisplayNameGenerator.ReplaceUnderscores.class)
class HouseTest {

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.culvert");

    private static final String[] STORIES = {
        "io.culvert.exitnode..", "io.culvert.tunnel..", "io.culvert.node..", "io.culvert.confinement.."
    };

    @Test
    void arrows_between_floors_go_down_only() {
        Architectures.layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
                .layer("5 commands")
                .definedBy("io.culvert.cli..")
                .layer("4 stories")
                .definedBy(STORIES)
                .layer("3 premises")
                .definedBy("io.culvert.run..", "io.culvert.needs..")
                .layer("2 concerns")
                .definedBy(
                        "io.culvert.plan..",
                        "io.culvert.topology..",
                        "io.culvert.migration..",
                        "io.culvert.mesh..",
                        "io.culvert.proxy..",
                        "io.culvert.dns..",
                        "io.culvert.health..",
                        "io.culvert.status..")
                .layer("1 effects")
                .definedBy(
                        "io.culvert.network..", "io.culvert.device..", "io.culvert.process..", "io.culvert.settings..")
                .layer("0 terms")
                .definedBy(
                        "io.culvert.wireguard..",
                        "io.culvert.netlink..",
                        "io.culvert.nft..",
                        "io.culvert.ip..",
                        "io.culvert.linux..",
                        "io.culvert.problem..")
                .whereLayer("5 commands")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("4 stories")
                .mayOnlyBeAccessedByLayers("5 commands")
                .whereLayer("3 premises")
                .mayOnlyBeAccessedByLayers("5 commands", "4 stories")
                .whereLayer("2 concerns")
                .mayOnlyBeAccessedByLayers("5 commands", "4 stories", "3 premises")
                .whereLayer("1 effects")
                .mayOnlyBeAccessedByLayers("5 commands", "4 stories", "3 premises", "2 concerns")
                .check(CLASSES);
    }

    /** What two of them need is a floor below. */
    @Test
    void stories_know_nothing_of_each_other() {
        for (String story : STORIES) {
            String[] others =
                    Stream.of(STORIES).filter(other -> !other.equals(story)).toArray(String[]::new);
            noClasses()
                    .that()
                    .resideInAPackage(story)
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(others)
                    .check(CLASSES);
        }
    }

    @Test
    void packages_form_no_circle() {
        SlicesRuleDefinition.slices()
                .matching("io.culvert.(*)..")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    /** A program that waits without a reason is slow, and one that is too short is wrong: wait for the event. */
    @Test
    void nobody_sleeps() {
        noClasses()
                .should()
                .callMethodWhere(target(owner(type(Thread.class))).and(target(name("sleep"))))
                .check(CLASSES);
    }

    /** Standard output is a command's result; everything else goes where the command line says. */
    @Test
    void only_commands_speak_to_the_terminal_and_end_the_process() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.culvert.cli..")
                .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS)
                .orShould()
                .callMethodWhere(target(name("exit")).and(target(owner(type(System.class)))))
                .orShould()
                .callMethodWhere(target(name("printStackTrace")))
                .check(CLASSES);
    }

    @Test
    void programs_are_started_in_one_place() {
        noClasses()
                .that()
                .resideOutsideOfPackages("io.culvert.process..", "io.culvert.device..")
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ProcessBuilder.class)
                .orShould()
                .callMethodWhere(target(name("exec")).and(target(owner(type(Runtime.class)))))
                .check(CLASSES);
    }

    /** What no other package uses is nobody else's: it can change without a look around. */
    @Test
    void what_only_its_own_package_uses_is_not_public() {
        classes()
                .that()
                .arePublic()
                .and()
                .areTopLevelClasses()
                .and()
                .areNotAnnotatedWith("io.quarkus.runtime.annotations.QuarkusMain")
                .should(BE_USED_BY_ANOTHER_PACKAGE)
                .check(CLASSES);
    }

    /** By its name, by one nested in it, or by a signature; a constant is copied by the compiler and leaves no trace. */
    private static final ArchCondition<JavaClass> BE_USED_BY_ANOTHER_PACKAGE =
            new ArchCondition<>("be used by another package") {
                @Override
                public void check(JavaClass candidate, ConditionEvents events) {
                    boolean used = candidate.getPackage().getClasses().stream()
                                    .filter(it -> it.getName().equals(candidate.getName())
                                            || it.getName().startsWith(candidate.getName() + "$"))
                                    .flatMap(it -> it.getDirectDependenciesToSelf().stream())
                                    .anyMatch(it -> !it.getOriginClass()
                                            .getPackageName()
                                            .equals(candidate.getPackageName()))
                            || inSignature(candidate)
                            || candidate.getFields().stream().anyMatch(HouseTest::constant);
                    events.add(new SimpleConditionEvent(candidate, used, candidate.getName()));
                }
            };

    private static boolean inSignature(JavaClass candidate) {
        return candidate.getPackage().getClasses().stream()
                .filter(it -> it.getModifiers().contains(JavaModifier.PUBLIC) && !it.equals(candidate))
                .flatMap(it -> it.getCodeUnits().stream())
                .filter(it -> it.getModifiers().contains(JavaModifier.PUBLIC))
                .anyMatch(it -> it.getReturnType().getAllInvolvedRawTypes().contains(candidate)
                        || it.getParameterTypes().stream()
                                .anyMatch(type -> type.getAllInvolvedRawTypes().contains(candidate)));
    }

    private static boolean constant(JavaField field) {
        return field.getModifiers().containsAll(Set.of(JavaModifier.PUBLIC, JavaModifier.STATIC, JavaModifier.FINAL))
                && (field.getRawType().isPrimitive() || field.getRawType().isEquivalentTo(String.class));
    }
}
