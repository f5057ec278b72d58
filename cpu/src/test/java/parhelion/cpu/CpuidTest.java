package parhelion.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import parhelion.cpu.decode.Feature;

class CpuidTest {
  @Test
  void theDefaultIsTheSecondMicroarchitectureLevelAndNotTheThird() {
    try (Machine m = Machine.long64(0)) {
      int[] one = Cpuid.query(m.cpu, 1, 0);
      int v2 = 1 | 1 << 9 | 1 << 13 | 1 << 19 | 1 << 20 | 1 << 23;
      assertEquals(v2, one[2] & v2);
      int base = 1 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 13 | 1 << 15 | 1 << 24 | 3 << 25;
      assertEquals(base, one[3] & base);
      assertEquals(0, one[2] & (1 << 28 | 1 << 12 | 1 << 22 | 1 << 29), "AVX, FMA, MOVBE, F16C");
      int[] extended = Cpuid.query(m.cpu, 0x8000_0001, 0);
      assertEquals(1, extended[2] & 0x21, "LAHF, no LZCNT");
      assertTrue((extended[3] & 1 << 29) != 0);
      assertEquals(0, Cpuid.query(m.cpu, 7, 0)[1] & (1 << 3 | 1 << 5 | 1 << 8));
    }
  }

  @Test
  void theDecodersGateIsTheSameTable() {
    assertTrue(CpuModel.V2.has(Feature.SSE42));
    assertTrue(CpuModel.V2.has(Feature.BASE));
    assertFalse(CpuModel.V2.has(Feature.AVX));
    assertFalse(CpuModel.V2.has(Feature.MONITOR));
  }

  @Test
  void osxsaveMirrorsCr4() {
    try (Machine m = Machine.long64(0)) {
      assertEquals(0, Cpuid.query(m.cpu, 1, 0)[2] & 1 << 27);
      m.set(CR4, m.get(CR4) | 1 << 18);
      assertEquals(1 << 27, Cpuid.query(m.cpu, 1, 0)[2] & 1 << 27);
    }
  }

  @Test
  void theBrandIsOurs() {
    try (Machine m = Machine.long64(0)) {
      ByteBuffer text = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
      for (int leaf = 2; leaf <= 4; leaf++) {
        for (int r : Cpuid.query(m.cpu, 0x8000_0000 + leaf, 0)) {
          text.putInt(r);
        }
      }
      String brand = new String(text.array(), StandardCharsets.US_ASCII);
      assertEquals("Parhelion virtual CPU", brand.replace("\0", ""));
    }
  }

  @Test
  void leavesBeyondTheTableAreZero() {
    try (Machine m = Machine.long64(0)) {
      for (int leaf : new int[] {0xe, 0x4000_0000, 0x8000_0009, -1, 7, 3}) {
        assertArrayEquals(new int[4], Cpuid.query(m.cpu, leaf, 1), "leaf " + leaf);
      }
      assertArrayEquals(new int[] {3, 576, 576, 0}, Cpuid.query(m.cpu, 0xd, 0));
      assertEquals(0x302e, Cpuid.query(m.cpu, 0x8000_0008, 0)[0]);
      assertEquals(0, Cpuid.query(m.cpu, 4, 3)[0]);
    }
  }
}
