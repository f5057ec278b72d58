package parhelion.abi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import parhelion.abi.Declarations.Static;
import parhelion.abi.Field.Part;
import parhelion.abi.Headers.Layout;
import parhelion.abi.Headers.Member;

/** Holds every declared structure and field against gcc's layout of Xen's headers. */
class LayoutTest {
  /** Not in Xen's public headers: the BIOS defines it; see its own test. */
  private static final Set<String> ELSEWHERE = Set.of("e820entry");

  @Test
  void everyStructHasTheHeaderAndSizeThatTheCompilerSaw() {
    List<String> wrong = new ArrayList<>();
    for (Static s : Declarations.statics(Struct.class)) {
      Struct struct = (Struct) s.value();
      Layout layout = Headers.XEN.layouts.get(struct.cName());
      if (ELSEWHERE.contains(struct.cName())) {
        continue;
      }
      if (layout == null
          || layout.size() != struct.size()
          || !layout.header().equals(struct.header())) {
        wrong.add(s + " is " + struct + ", the headers say " + layout);
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void everyFieldIsWhereTheCompilerPutIt() {
    List<String> wrong = new ArrayList<>();
    for (Static s : Declarations.statics(Field.class)) {
      Field field = (Field) s.value();
      if (!ELSEWHERE.contains(field.struct().cName())) {
        complain(field).forEach(c -> wrong.add(s + ": " + c));
        if (Declarations.statics(s.owner(), Struct.class).stream()
            .noneMatch(t -> t.value() == field.struct())) {
          wrong.add(s + " belongs to another class's structure");
        }
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void everyFieldIsNamedAfterItsMemberInC() {
    Map<String, String> renamed = Map.of("addr.v", "ADDR", "fpu_ctxt.x", "FPU_CTXT");
    List<String> wrong = new ArrayList<>();
    for (Static s : Declarations.statics(Field.class)) {
      String path = ((Field) s.value()).cName();
      String last = path.replaceAll(".*\\.", "").replaceAll("^args\\[(\\d)]$", "arg$1");
      if (!s.name().endsWith(renamed.getOrDefault(path, last.toUpperCase(Locale.ROOT)))) {
        wrong.add(s + " stands for " + path);
      }
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void everyMemberOfADeclaredStructIsDeclaredUnlessItIsPadding() {
    Map<Struct, BitSet> declared = new HashMap<>();
    for (Static s : Declarations.statics(Field.class)) {
      Field field = (Field) s.value();
      declared
          .computeIfAbsent(field.struct(), k -> new BitSet())
          .set(field.offset(), field.offset() + field.size());
    }
    List<String> missing = new ArrayList<>();
    for (Static s : Declarations.statics(Struct.class)) {
      Struct struct = (Struct) s.value();
      if (ELSEWHERE.contains(struct.cName())) {
        continue;
      }
      for (var member : Headers.XEN.layouts.get(struct.cName()).members().entrySet()) {
        String name = member.getKey().replaceAll(".*\\.", "");
        boolean padding = name.matches("_?_?(pad.*|rsvd|spacer|unused|res0)|pvt");
        Member m = member.getValue();
        BitSet bytes = declared.getOrDefault(struct, new BitSet());
        // An aggregate counts as declared when all of its leaves are.
        boolean leaf = !m.type().matches("(struct|union) \\{}");
        if (leaf
            && !padding
            && bytes.get(m.offset(), m.offset() + m.size()).cardinality() < m.size()) {
          missing.add(struct.cName() + "." + member.getKey());
        }
      }
    }
    assertEquals(List.of(), missing);
  }

  @Test
  void noStructIsDeclaredTwiceAndNoRowIsStale() {
    Set<String> names = new HashSet<>(ELSEWHERE);
    for (Static s : Declarations.statics(Struct.class)) {
      String name = ((Struct) s.value()).cName();
      assertTrue(ELSEWHERE.contains(name) || names.add(name), name + " is declared twice");
    }
    names.removeAll(ELSEWHERE);
    assertEquals(Headers.XEN.layouts.keySet(), names);
  }

  @Test
  void aWrongDeclarationIsNoticed() {
    Struct send = Struct.of("evtchn_send", "event_channel.h", 4);
    assertEquals(List.of(), complain(send.u32("port", 0)));
    assertNotEquals(List.of(), complain(send.u32("port", 4)), "wrong offset");
    assertNotEquals(List.of(), complain(send.u16("port", 0)), "wrong width");
    assertNotEquals(List.of(), complain(send.s32("port", 0)), "wrong sign");
    assertNotEquals(List.of(), complain(send.u32("ports", 0)), "wrong name");
    Struct sharedInfo = Struct.of("shared_info", "xen.h", 3136);
    assertEquals(List.of(), complain(sharedInfo.array("evtchn_mask", 2560, 64, 8)));
    assertNotEquals(List.of(), complain(sharedInfo.array("evtchn_mask", 2560, 128, 4)), "stride");
    Struct multicall = Struct.of("multicall_entry", "xen.h", 64);
    assertEquals(List.of(), complain(multicall.u64("args[5]", 56)));
    assertNotEquals(List.of(), complain(multicall.u64("args[5]", 48)), "wrong element");
    assertNotEquals(List.of(), complain(multicall.u64("args[6]", 64)), "past the end");
  }

  @Test
  void theModuleIsFoundAtAll() {
    assertTrue(Declarations.statics(Struct.class).size() >= 80);
    assertTrue(Declarations.statics(Field.class).size() >= 300);
  }

  @Test
  void anE820EntryIsPackedTo20Bytes() {
    assertEquals(20, E820Entry.STRUCT.size());
    byte[] bytes = new byte[20];
    new E820Entry(0x0102030405060708L, 0x1112131415161718L, 0xfffffff1L).write(Bytes.of(bytes), 0);
    assertEquals(
        "0807060504030201" + "1817161514131211" + "f1ffffff", HexFormat.of().formatHex(bytes));
    assertEquals(
        new E820Entry(0x0102030405060708L, 0x1112131415161718L, 0xfffffff1L),
        E820Entry.read(Bytes.of(bytes), 0));
  }

  /** What is wrong with a field, as the headers see it. */
  private static List<String> complain(Field field) {
    Member member = Headers.XEN.member(field.struct(), field.cName());
    if (member == null) {
      return List.of(field.struct().cName() + " has no " + field.cName());
    }
    List<String> wrong = new ArrayList<>();
    if (member.offset() != field.offset() || member.size() != field.size()) {
      wrong.add(field + " is " + member);
    }
    switch (field) {
      case Part part -> {
        if (part.count() != member.count()) {
          wrong.add(part + " has " + member.count() + " elements");
        }
      }
      case Field.S8 f -> scalar(f, member, true, wrong);
      case Field.S16 f -> scalar(f, member, true, wrong);
      case Field.S32 f -> scalar(f, member, true, wrong);
      case Field.U8 f -> scalar(f, member, false, wrong);
      case Field.U16 f -> scalar(f, member, false, wrong);
      case Field.U32 f -> scalar(f, member, false, wrong);
      case Field.U64 f -> scalar(f, member, false, wrong);
    }
    return wrong;
  }

  private static void scalar(Field field, Member member, boolean signed, List<String> wrong) {
    if (!member.isScalar() || member.isSigned() != signed) {
      wrong.add(field + " is a " + member.type());
    }
  }
}
