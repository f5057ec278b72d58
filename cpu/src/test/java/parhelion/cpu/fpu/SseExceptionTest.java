package parhelion.cpu.fpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import parhelion.cpu.GuestFault;

/** Unmasked SSE exceptions: #XM, the right flags, and the destination as it was. */
class SseExceptionTest {
  private static final long SEED = Long.getLong("parhelion.seed", 1);

  /** op xmm0,xmm1 of several families. */
  private static final String[] INSTRUCTIONS = {
    "0f58c1", "660f58c1", "f30f58c1", "f20f58c1", "0f59c1", "660f59c1", "f30f59c1", "f20f59c1",
    "0f5ec1", "660f5ec1", "f30f5ec1", "f20f5ec1", "0f51c1", "660f51c1", "f30f51c1", "f20f51c1",
    "0f5cc1", "660f5cc1", "0f5dc1", "660f5fc1", "0fc2c101", "660fc2c103", "f20f5ac1", "f30f5ac1",
    "660f5ac1", "0f5ac1", "0f5bc1", "660f5bc1", "f20f7cc1", "660f7cc1", "f20fd0c1", "660f3a08c100",
  };

  private final FpuFixture f = new FpuFixture();

  @AfterEach
  void close() {
    f.close();
  }

  private static long lane(Random r) {
    long[] special = {
      0,
      1,
      0x0010000000000000L,
      0x7fefffffffffffffL,
      0x7ff0000000000000L,
      0x7ff0000000000001L,
      0x7ff8000000000000L,
      0x3ff0000000000000L,
      0x800fffffffffffffL,
      0x0080000000000001L,
      0x7f7fffff00800000L,
      0x7f800001ffc00000L,
      0x7f80000000000001L,
    };
    return r.nextInt(3) == 0 ? special[r.nextInt(special.length)] : r.nextLong();
  }

  @Test
  void unmaskedExceptionsFaultAndLeaveTheDestination() {
    Random r = new Random(SEED);
    int faults = 0;
    for (int i = 0; i < 40_000; i++) {
      String code = INSTRUCTIONS[i % INSTRUCTIONS.length];
      long a0 = lane(r);
      long a1 = lane(r);
      long b0 = lane(r);
      long b1 = lane(r);
      int rounding = r.nextInt(4) << 13;
      f.xmm(0, a0, a1);
      f.xmm(1, b0, b1);
      f.mxcsr(0x1f80 | rounding);
      assertEquals(-1, f.run(code));
      long low = f.xmmLow(0);
      long high = f.xmmHigh(0);
      int raised = f.mxcsr() & 0x3f;
      int unmasked = r.nextInt(64) & ~0x10; // an unmasked UE has rules of its own
      f.xmm(0, a0, a1);
      int control = 0x1f80 & ~(unmasked << 7) | rounding;
      f.mxcsr(control);
      int vector = f.run(code);
      String what = code + String.format(" %x %x, %x %x, unmasked %x", a1, a0, b1, b0, unmasked);
      int early = raised & 7 & unmasked;
      if ((raised & unmasked) == 0) {
        assertEquals(-1, vector, what);
        assertEquals(low, f.xmmLow(0), what);
        assertEquals(high, f.xmmHigh(0), what);
        assertEquals(control | raised, f.mxcsr(), what);
      } else {
        faults++;
        assertEquals(GuestFault.XM, vector, what);
        assertEquals(a0, f.xmmLow(0), what);
        assertEquals(a1, f.xmmHigh(0), what);
        int flags = f.mxcsr() & 0x3f;
        // An unmasked invalid, denormal or zero-divide keeps the later ones from being found.
        assertEquals(early != 0 ? raised & 7 : raised & (flags | ~0x20), flags, what);
      }
    }
    assertEquals(true, faults > 5000, "faults seen: " + faults);
  }

  @Test
  void withoutOsxmmexcptTheyAreUndefinedInstructions() {
    f.control(FpuFixture.CR0_NE, FpuFixture.CR4_OSFXSR);
    f.mxcsr(0x1f80 & ~0x200); // zero divide unmasked
    f.xmm(0, 0x3f800000, 0);
    f.xmm(1, 0, 0);
    assertEquals(GuestFault.UD, f.run("f30f5ec1")); // divss
    assertEquals(4, f.mxcsr() & 0x3f);
  }

  @Test
  void unmaskedUnderflowIsRaisedByAnExactTinyResult() {
    f.mxcsr(0x1f80 & ~0x800);
    f.xmm(0, 0x0010000000000000L, 0);
    f.xmm(1, 0x3fe0000000000000L, 0);
    assertEquals(GuestFault.XM, f.run("f20f59c1")); // mulsd: 2**-1023, exact
    assertEquals(0x10, f.mxcsr() & 0x3f);
    f.mxcsr(0x1f80);
    assertEquals(-1, f.run("f20f59c1"));
    assertEquals(0, f.mxcsr() & 0x3f, "masked, an exact denormal raises nothing");
    assertEquals(0x0008000000000000L, f.xmmLow(0));
  }

  @Test
  void estimatesAreWithinTheirBound() {
    Random r = new Random(SEED);
    for (int i = 0; i < 20_000; i++) {
      int bits = r.nextInt() & 0x807fffff | 1 + 2 + r.nextInt(250) << 23;
      float x = Float.intBitsToFloat(bits);
      double reciprocal = Float.intBitsToFloat(Estimates.reciprocal(bits));
      assertEquals(1.0, reciprocal * x, 1.5 / 4096, "1/" + x);
      float positive = Math.abs(x);
      double root =
          Float.intBitsToFloat(Estimates.reciprocalRoot(Float.floatToRawIntBits(positive)));
      assertEquals(1.0, root * Math.sqrt(positive), 1.5 / 4096, "1/sqrt " + positive);
    }
  }
}
