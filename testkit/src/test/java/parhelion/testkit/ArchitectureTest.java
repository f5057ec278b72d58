package parhelion.testkit;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.EvaluationResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The arrows of docs/architecture.md point downward, and the three lowest modules stand alone. */
final class ArchitectureTest {
  /** What the classes of a module may use of the other modules. */
  private static final Map<String, Set<String>> ARROWS =
      Map.ofEntries(
          Map.entry("abi", Set.of()),
          Map.entry("host", Set.of()),
          Map.entry("cpu", Set.of()),
          Map.entry("xen", Set.of("abi", "cpu")),
          Map.entry("media", Set.of("host")),
          Map.entry("pc", Set.of("cpu", "media")),
          Map.entry("backends", Set.of("abi", "xen", "media")),
          Map.entry("process", Set.of("cpu", "host")),
          Map.entry(
              "toolstack",
              Set.of("abi", "host", "cpu", "xen", "media", "pc", "backends", "process")),
          Map.entry("lab", Set.of("cpu", "xen", "media", "pc", "process", "toolstack")),
          Map.entry("app", Set.of("toolstack", "media", "lab")));

  /** What the modules without any library at run time may use besides. */
  private static final List<String> PLATFORM =
      List.of("java..", "jdk.internal.misc..", "org.jspecify.annotations..");

  private static final List<String> MODULES = ProductionClasses.MODULES;

  private static final JavaClasses SHIPPED =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("parhelion");

  @ParameterizedTest
  @FieldSource("MODULES")
  void aModuleUsesOnlyTheModulesBelowIt(String module) {
    List<String> allowed = new ArrayList<>(List.of("parhelion." + module + ".."));
    ARROWS.get(module).forEach(below -> allowed.add("parhelion." + below + ".."));
    EvaluationResult result =
        classes()
            .that()
            .resideInAPackage("parhelion." + module + "..")
            .should()
            .onlyDependOnClassesThat(
                resideInAnyPackage(allowed.toArray(String[]::new))
                    .or(not(resideInAPackage("parhelion.."))))
            .evaluate(SHIPPED);
    assertEquals(List.of(), result.getFailureReport().getDetails());
  }

  @ParameterizedTest
  @ValueSource(strings = {"abi", "host", "cpu", "xen"})
  void theLowestModulesUseNoLibrary(String module) {
    List<String> allowed = new ArrayList<>(PLATFORM);
    allowed.add("parhelion..");
    EvaluationResult result =
        classes()
            .that()
            .resideInAPackage("parhelion." + module + "..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(allowed.toArray(String[]::new))
            .evaluate(SHIPPED);
    assertEquals(List.of(), result.getFailureReport().getDetails());
  }

  @Test
  void everyShippedClassIsSeenAndBelongsToAModule() {
    Set<String> seen = new TreeSet<>();
    SHIPPED.forEach(type -> seen.add(type.getName().split("\\.")[1]));
    assertTrue(seen.containsAll(MODULES), "modules seen: " + seen);
    assertEquals(Set.copyOf(MODULES), ARROWS.keySet());
    seen.removeAll(MODULES);
    seen.remove("testkit");
    assertEquals(Set.of(), seen, "packages outside of every module");
    assertFalse(ProductionClasses.all().isEmpty());
  }
}
