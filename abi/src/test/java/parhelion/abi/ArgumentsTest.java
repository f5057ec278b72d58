package parhelion.abi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import parhelion.abi.Declarations.Static;
import parhelion.abi.Field.Part;
import parhelion.abi.Headers.Member;

/** What is read from bytes is what the guest's compiler put there, each byte of it fetched once. */
class ArgumentsTest {
  private static final int AT = 3;

  private final Random random = new Random(Long.getLong("parhelion.seed", 1));

  @Test
  void everyComponentOfAnArgumentIsReadFromItsOwnPlace() throws ReflectiveOperationException {
    assertTrue(Declarations.argumentRecords().size() >= 60);
    for (Class<?> type : Declarations.argumentRecords()) {
      for (int round = 0; round < 4; round++) {
        byte[] bytes = new byte[AT + struct(type).size()];
        random.nextBytes(bytes);
        Object read =
            type.getMethod("read", Bytes.class, long.class)
                .invoke(null, Bytes.of(bytes), (long) AT);
        compare(type, read, bytes, AT);
      }
    }
  }

  @Test
  void noArgumentIsFetchedTwice() throws ReflectiveOperationException {
    List<String> twice = new ArrayList<>();
    for (Class<?> type : Declarations.argumentRecords()) {
      int size = struct(type).size();
      int[] fetches = new int[size];
      type.getMethod("read", Bytes.class, long.class).invoke(null, counting(fetches), 0L);
      for (int i = 0; i < size; i++) {
        if (fetches[i] > 1) {
          twice.add(type.getSimpleName() + " byte " + i);
        }
      }
    }
    assertEquals(List.of(), twice);
  }

  @Test
  void everyScalarWritesItsOwnBytesAndNoOthers() {
    for (Static s : Declarations.statics(Field.class)) {
      Field field = (Field) s.value();
      if (field instanceof Part) {
        continue;
      }
      byte[] before = new byte[field.struct().size() + AT];
      random.nextBytes(before);
      long value = random.nextLong();
      byte[] after = before.clone();
      put(field, Bytes.of(after), value);
      byte[] expected = before.clone();
      for (int i = 0; i < field.size(); i++) {
        expected[AT + field.offset() + i] = (byte) (value >>> (8 * i));
      }
      assertArrayEquals(expected, after, s.toString());
      assertEquals(
          decode(after, AT + field.offset(), field.size(), isSigned(field)),
          get(field, Bytes.of(after)),
          s.toString());
    }
  }

  @Test
  void unsignedNumbersHaveNoSignAndSignedOnesKeepTheirs() {
    byte[] ones = new byte[5168];
    Arrays.fill(ones, (byte) 0xff);
    Bytes b = Bytes.of(ones);
    assertEquals(0xffff_ffffL, EvtchnArgs.EvtchnSend.read(b, 0).port());
    assertEquals(0xffff, EvtchnArgs.EvtchnReset.read(b, 0).dom());
    assertEquals(0xff, VcpuInfo.EVTCHN_UPCALL_MASK.get(b, 0));
    assertEquals(-1, GnttabArgs.GnttabMapGrantRef.read(b, 0).status());
    assertEquals(-1, VcpuTimeInfo.TSC_SHIFT.get(b, 0));
    assertEquals(-1L, MmuArgs.MmuUpdate.read(b, 0).ptr());
    assertEquals(0xffff_ffffL, MmuArgs.MmuextOp.read(b, 0).nrEnts());
    assertEquals(0xffff_ffffL, GnttabArgs.GnttabCopyPtr.read(b, 0).ref());
  }

  @Test
  void anElementOfAnArrayIsFoundAndAnIndexOutsideIsRefused() {
    assertEquals(1000 + 2048 + 5 * 8, SharedInfo.EVTCHN_PENDING.at(1000, 5));
    assertEquals(64 * 31, SharedInfo.VCPU_INFO.at(0, 31));
    assertThrows(IndexOutOfBoundsException.class, () -> SharedInfo.VCPU_INFO.at(0, 32));
    assertThrows(IndexOutOfBoundsException.class, () -> SharedInfo.VCPU_INFO.at(0, -1));
  }

  @Test
  void aTrapGateTellsItsRingAndWhetherItMasksEvents() {
    assertEquals(3, new TrapInfo(0x80, 3, 0xe033, 0).dpl());
    assertTrue(new TrapInfo(0x80, 4, 0xe033, 0).masksEvents());
    assertEquals(0, new TrapInfo(0x80, 4, 0xe033, 0).dpl());
    assertEquals(false, new TrapInfo(0x80, 3, 0xe033, 0).masksEvents());
  }

  @Test
  void anMmuUpdateCarriesItsTypeInTheLowBitsOfItsAddress() {
    MmuArgs.MmuUpdate update = new MmuArgs.MmuUpdate(0xffff_f000_1234_5ffaL, 7);
    assertEquals(MmuUpdateType.PT_UPDATE_PRESERVE_AD, MmuUpdateType.of(update.type()));
    assertEquals(0xffff_f000_1234_5ff8L, update.pa());
    for (int type = 0; type < 4; type++) {
      assertNotNull(MmuUpdateType.of(type), "two bits, four types");
    }
  }

  /** Compares each component with gcc's row for the field of the same name. */
  private static void compare(Class<?> type, Object read, byte[] bytes, int at)
      throws ReflectiveOperationException {
    for (RecordComponent component : type.getRecordComponents()) {
      String name = component.getName().replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
      Field field = (Field) type.getField(name).get(null);
      Member member = Headers.XEN.member(field.struct(), field.cName());
      component.getAccessor().setAccessible(true);
      Object value = component.getAccessor().invoke(read);
      String label = type.getSimpleName() + "." + component.getName();
      int offset = member == null ? field.offset() : member.offset();
      if (field instanceof Part) {
        compare(component.getType(), value, bytes, at + offset);
      } else {
        int size = member == null ? field.size() : member.size();
        boolean signed = member != null && member.isSigned();
        assertEquals(decode(bytes, at + offset, size, signed), ((Number) value).longValue(), label);
      }
    }
  }

  private static Struct struct(Class<?> type) {
    return (Struct) Declarations.statics(type, Struct.class).getFirst().value();
  }

  /** Little-endian, one byte at a time: not by way of the code under test. */
  private static long decode(byte[] bytes, int offset, int size, boolean signed) {
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      value = (value << 8) | (bytes[offset + i] & 0xff);
    }
    int unused = 64 - 8 * size;
    return signed ? (value << unused) >> unused : value;
  }

  private static boolean isSigned(Field field) {
    return field instanceof Field.S8 || field instanceof Field.S16 || field instanceof Field.S32;
  }

  private static void put(Field field, Bytes b, long value) {
    switch (field) {
      case Field.U8 f -> f.put(b, AT, (int) value);
      case Field.S8 f -> f.put(b, AT, (int) value);
      case Field.U16 f -> f.put(b, AT, (int) value);
      case Field.S16 f -> f.put(b, AT, (int) value);
      case Field.U32 f -> f.put(b, AT, value);
      case Field.S32 f -> f.put(b, AT, (int) value);
      case Field.U64 f -> f.put(b, AT, value);
      case Part f -> throw new AssertionError(f);
    }
  }

  private static long get(Field field, Bytes b) {
    return switch (field) {
      case Field.U8 f -> f.get(b, AT);
      case Field.S8 f -> f.get(b, AT);
      case Field.U16 f -> f.get(b, AT);
      case Field.S16 f -> f.get(b, AT);
      case Field.U32 f -> f.get(b, AT);
      case Field.S32 f -> f.get(b, AT);
      case Field.U64 f -> f.get(b, AT);
      case Part f -> throw new AssertionError(f);
    };
  }

  /** Bytes of zero that count how often each is fetched. */
  private static Bytes counting(int[] fetches) {
    return (Bytes)
        Proxy.newProxyInstance(
            Bytes.class.getClassLoader(),
            new Class<?>[] {Bytes.class},
            (proxy, method, args) -> {
              int offset = Math.toIntExact((Long) args[0]);
              int width =
                  switch (method.getName()) {
                    case "getByte" -> 1;
                    case "getShort" -> 2;
                    case "getInt" -> 4;
                    case "getLong" -> 8;
                    default -> throw new AssertionError(method);
                  };
              for (int i = 0; i < width; i++) {
                fetches[offset + i]++;
              }
              return switch (width) {
                case 1 -> (Object) (byte) 0;
                case 2 -> (short) 0;
                case 4 -> 0;
                default -> 0L;
              };
            });
  }
}
