package parhelion.abi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import parhelion.abi.Declarations.Static;
import parhelion.abi.Headers.Constant;

/** Holds every number that the module gives a name against the value in Xen's headers. */
class RosterTest {
  @Test
  void everyRowOfARosterHasTheNumberOfItsNameInC() {
    List<String> wrong = new ArrayList<>();
    for (Class<?> roster : Declarations.rosters()) {
      XenNames names = roster.getAnnotation(XenNames.class);
      for (Object o : roster.getEnumConstants()) {
        Numbered row = (Numbered) o;
        Constant constant = Headers.XEN.constants.get(row.cName());
        if (constant == null
            || constant.value() != row.nr()
            || !Arrays.asList(names.header()).contains(constant.header())
            || !normal(row.cName()).equals(normal(names.prefix() + ((Enum<?>) row).name()))) {
          wrong.add(roster.getSimpleName() + "." + row + "(" + row.nr() + ") is " + constant);
        }
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void everyConstantHasTheValueOfItsNameInC() {
    List<String> wrong = new ArrayList<>();
    for (Static s : Declarations.constants()) {
      XenNames names = s.owner().getAnnotation(XenNames.class);
      if (names == null) {
        wrong.add(s + " does not say what it stands for");
        continue;
      }
      List<Map.Entry<String, Constant>> rows =
          rows(names).stream()
              .filter(e -> e.getKey().equalsIgnoreCase(names.prefix() + s.name()))
              .toList();
      if (rows.size() != 1
          || rows.getFirst().getValue().value() != ((Number) s.value()).longValue()) {
        wrong.add(s + " = " + s.value() + " is " + rows);
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void noValueOfAFamilyIsMissing() {
    List<String> missing = new ArrayList<>();
    for (Class<?> c : Declarations.classes()) {
      XenNames names = c.getAnnotation(XenNames.class);
      if (names == null || names.prefix().isEmpty()) {
        continue;
      }
      Set<Long> values = new HashSet<>();
      Declarations.constants().stream()
          .filter(s -> s.owner() == c)
          .forEach(s -> values.add(((Number) s.value()).longValue()));
      if (c.isEnum()) {
        Arrays.stream(c.getEnumConstants()).forEach(o -> values.add((long) ((Numbered) o).nr()));
      }
      for (var row : rows(names)) {
        if (Arrays.stream(names.except()).noneMatch(row.getKey()::startsWith)
            && !values.contains(row.getValue().value())) {
          missing.add(c.getSimpleName() + " lacks " + row);
        }
      }
    }
    assertEquals(List.of(), missing);
  }

  @Test
  void everyRowIsFoundByItsNumberAndNothingElseIs() throws ReflectiveOperationException {
    for (Class<?> roster : Declarations.rosters()) {
      Method of = roster.getMethod("of", long.class);
      Set<Integer> numbers = new HashSet<>();
      for (Object row : roster.getEnumConstants()) {
        assertSame(row, of.invoke(null, (long) ((Numbered) row).nr()));
        numbers.add(((Numbered) row).nr());
      }
      long[] outside = {
        -1, 300, 1L << 32, (1L << 32) + 1, Integer.MAX_VALUE, Long.MIN_VALUE, Long.MAX_VALUE
      };
      for (long nr : outside) {
        assertNull(of.invoke(null, nr), roster + " " + nr);
      }
      for (int nr = 0; nr < 300; nr++) {
        assertEquals(numbers.contains(nr), of.invoke(null, (long) nr) != null, roster + " " + nr);
      }
    }
  }

  @Test
  void aSubOpTakesTheStructThatIsNamedLikeIt() {
    for (EvtchnOp op : EvtchnOp.values()) {
      assertEquals(op.cName().replace("EVTCHNOP", "evtchn"), op.argument().cName());
    }
    for (GnttabOp op : GnttabOp.values()) {
      assertEquals(op.cName().replace("GNTTABOP", "gnttab"), op.argument().cName());
    }
    assertEquals(VcpuGuestContext.STRUCT, VcpuOp.INITIALISE.argument());
    assertEquals(MemoryArgs.XenMemoryExchange.STRUCT, MemoryOp.EXCHANGE.argument());
    assertNull(SchedOp.YIELD.argument());
  }

  @Test
  void everyRosterAndFamilySaysWhichNamesItStandsFor() {
    for (Class<?> roster : Declarations.rosters()) {
      assertTrue(roster.isAnnotationPresent(XenNames.class), roster.getName());
      assertTrue(Numbered.class.isAssignableFrom(roster), roster.getName());
    }
    assertTrue(Declarations.rosters().size() >= 25);
    assertTrue(Declarations.constants().size() >= 150);
  }

  @Test
  void anErrorIsDescribedByNameAndMeaningWhicheverItsSign() {
    assertEquals("ENOENT (no such entry)", Errno.describe(2));
    assertEquals("ENOENT (no such entry)", Errno.describe(-2));
    assertEquals("errno 4711", Errno.describe(4711));
    assertEquals("errno -9223372036854775808", Errno.describe(Long.MIN_VALUE));
    assertEquals(-38, Errno.ENOSYS.result());
    for (Errno errno : Errno.values()) {
      assertTrue(errno.text().matches("[a-z][a-z /-]+"), errno.name());
    }
  }

  private static List<Map.Entry<String, Constant>> rows(XenNames names) {
    List<String> headers = Arrays.asList(names.header());
    return Headers.XEN.constants.entrySet().stream()
        .filter(
            e -> e.getKey().startsWith(names.prefix()) && headers.contains(e.getValue().header()))
        .toList();
  }

  private static String normal(String name) {
    return name.replace("_", "").toLowerCase(Locale.ROOT);
  }
}
