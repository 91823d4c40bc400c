// SPDX-License-Identifier: Apache-2.0
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
import io.smallrye.config.SmallRyeConfigBuilderCustomizer;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Checks the layers of the program, and that no class does what is not allowed. */
class ArchitectureTest {

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.culvert");

    private static final String[] APPLICATIONS = {
        "io.culvert.exitnode..", "io.culvert.tunnel..", "io.culvert.meshnode..", "io.culvert.netns.."
    };

    @Test
    void packages_depend_only_on_lower_layers() {
        Architectures.layeredArchitecture()
                .consideringOnlyDependenciesInLayers()
                .withOptionalLayers(true)
                .layer("5 commands")
                .definedBy("io.culvert.cli..")
                .layer("4 applications")
                .definedBy(APPLICATIONS)
                .layer("3 shared by applications")
                .definedBy("io.culvert.runtime..", "io.culvert.requirements..")
                .layer("2 concerns")
                .definedBy(
                        "io.culvert.plan..",
                        "io.culvert.firewall..",
                        "io.culvert.routing..",
                        "io.culvert.networkfile..",
                        "io.culvert.roaming..",
                        "io.culvert.mesh..",
                        "io.culvert.tailscale..",
                        "io.culvert.proxies..",
                        "io.culvert.dns..",
                        "io.culvert.leaktest..",
                        "io.culvert.portforward..",
                        "io.culvert.status..",
                        "io.culvert.controlserver..",
                        "io.culvert.reconcile..",
                        "io.culvert.packetpath..",
                        "io.culvert.audit..")
                .layer("1 mechanisms")
                .definedBy(
                        "io.culvert.rtnl..",
                        "io.culvert.wireguard.device..",
                        "io.culvert.process..",
                        "io.culvert.settings..")
                .layer("0 foundations")
                .definedBy(
                        "io.culvert.wireguard.config..",
                        "io.culvert.netlink..",
                        "io.culvert.nft..",
                        "io.culvert.net..",
                        "io.culvert.linux..",
                        "io.culvert.timing..",
                        "io.culvert.diagnostics..")
                .whereLayer("5 commands")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("4 applications")
                .mayOnlyBeAccessedByLayers("5 commands")
                .whereLayer("3 shared by applications")
                .mayOnlyBeAccessedByLayers("5 commands", "4 applications")
                .whereLayer("2 concerns")
                .mayOnlyBeAccessedByLayers("5 commands", "4 applications", "3 shared by applications")
                .whereLayer("1 mechanisms")
                .mayOnlyBeAccessedByLayers("5 commands", "4 applications", "3 shared by applications", "2 concerns")
                .check(CLASSES);
    }

    /** Code that two applications need belongs to a lower layer. */
    @Test
    void applications_do_not_depend_on_each_other() {
        for (String application : APPLICATIONS) {
            String[] others = Stream.of(APPLICATIONS)
                    .filter(other -> !other.equals(application))
                    .toArray(String[]::new);
            noClasses()
                    .that()
                    .resideInAPackage(application)
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(others)
                    .check(CLASSES);
        }
    }

    @Test
    void packages_have_no_cyclic_dependencies() {
        SlicesRuleDefinition.slices()
                .matching("io.culvert.(**)")
                .should()
                .beFreeOfCycles()
                .check(CLASSES);
    }

    /** A mistake of the plan must not be in what the plan's result is compared with. */
    @Test
    void the_audit_knows_nothing_of_the_plan() {
        noClasses()
                .that()
                .resideInAPackage("io.culvert.audit..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.culvert.plan..", "io.culvert.firewall..", "io.culvert.routing..")
                .check(CLASSES);
    }

    /** A sleep is always too long or too short; wait for the event instead. */
    @Test
    void no_class_calls_Thread_sleep() {
        noClasses()
                .should()
                .callMethodWhere(target(owner(type(Thread.class))).and(target(name("sleep"))))
                .check(CLASSES);
    }

    /** Standard output is for the results of commands, which only the command line prints. */
    @Test
    void only_commands_print_to_standard_output_and_exit() {
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
    void only_one_package_starts_programs() {
        noClasses()
                .that()
                .resideOutsideOfPackages("io.culvert.process..", "io.culvert.wireguard.device..")
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ProcessBuilder.class)
                .orShould()
                .callMethodWhere(target(name("exec")).and(target(owner(type(Runtime.class)))))
                .check(CLASSES);
    }

    /** A package-private class can be changed without regard to other packages. */
    @Test
    void a_class_used_only_by_its_package_is_not_public() {
        classes()
                .that()
                .arePublic()
                .and()
                .areTopLevelClasses()
                .and()
                .areNotAnnotatedWith("io.quarkus.runtime.annotations.QuarkusMain")
                .and()
                .areNotAssignableTo(SmallRyeConfigBuilderCustomizer.class)
                .should(BE_USED_BY_ANOTHER_PACKAGE)
                .check(CLASSES);
    }

    /** Uses by name, of a nested class, or in a signature count; constants do not, as the compiler copies them. */
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
                            || isInSignature(candidate)
                            || candidate.getFields().stream().anyMatch(ArchitectureTest::isConstant);
                    events.add(new SimpleConditionEvent(candidate, used, candidate.getName()));
                }
            };

    private static boolean isInSignature(JavaClass candidate) {
        return candidate.getPackage().getClasses().stream()
                .filter(it -> it.getModifiers().contains(JavaModifier.PUBLIC) && !it.equals(candidate))
                .flatMap(it -> it.getCodeUnits().stream())
                .filter(it -> it.getModifiers().contains(JavaModifier.PUBLIC))
                .anyMatch(it -> it.getReturnType().getAllInvolvedRawTypes().contains(candidate)
                        || it.getParameterTypes().stream()
                                .anyMatch(type -> type.getAllInvolvedRawTypes().contains(candidate)));
    }

    private static boolean isConstant(JavaField field) {
        return field.getModifiers().containsAll(Set.of(JavaModifier.PUBLIC, JavaModifier.STATIC, JavaModifier.FINAL))
                && (field.getRawType().isPrimitive() || field.getRawType().isEquivalentTo(String.class));
    }
}
