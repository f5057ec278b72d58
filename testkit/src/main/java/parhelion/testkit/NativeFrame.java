package parhelion.testkit;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Executes a few instructions on the host's own x86-64 processor with every general register, the
 * flags and the whole x87, MMX and SSE state given and taken: the judge of what the interpreter
 * computes. The instructions run between a prologue that loads the state and an epilogue that
 * stores it.
 *
 * <pre>
 * try (NativeFrame frame = new NativeFrame(4096)) {   // bytes of data for memory operands
 *   frame.code(bytes);                  // without branches out of the bytes, falls through at the end
 *   frame.gpr(6, frame.dataVa());       // RSI
 *   frame.flags(0x2);
 *   frame.fxIn() ... frame.data() ...   // FXSAVE64 image and data, as memory segments
 *   frame.run();
 *   frame.gprOut(0); frame.flagsOut(); frame.fxOut(); frame.data();
 * }
 * </pre>
 *
 * <p>The caller sees to it that nothing faults: exceptions are masked, addresses lie in the data
 * area, no privileged instruction. RSP may be anything that the instructions allow, but should
 * point into the data area with room below it, as a signal may arrive. {@link #isSupported} tells
 * whether this host can do it; tests skip otherwise. One thread at a time.
 */
public final class NativeFrame implements AutoCloseable {
  public static final int FX_BYTES = 512;

  private static final int PAGE = 4096;
  private static final int MAX_CODE = 1024;

  // Layout of the control page, from its start.
  private static final int GPR_IN = 0;
  private static final int GPR_OUT = 128;
  private static final int FLAGS_IN = 256;
  private static final int FLAGS_OUT = 264;
  private static final int HOST_RSP = 272;
  private static final int FX_IN = 512;
  private static final int FX_OUT = 1024;
  private static final int FX_HOST = 1536;

  private static final int RSP = 4;
  private static final int PROT_READ_WRITE_EXECUTE = 7;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private final MemorySegment map;
  private final MemorySegment control;
  private final MemorySegment data;
  private final MethodHandle enter;
  private final int insnsAt;
  private int at;

  /** Maps a frame with {@code dataBytes} (rounded up to pages) for memory operands. */
  public NativeFrame(int dataBytes) {
    int dataPages = (dataBytes + PAGE - 1) / PAGE;
    map = mmap((2L + dataPages) * PAGE);
    control = map.asSlice(PAGE, PAGE);
    data = map.asSlice(2 * PAGE, (long) dataPages * PAGE);
    prologue();
    insnsAt = at;
    code(new byte[0]);
    enter = Linker.nativeLinker().downcallHandle(map, FunctionDescriptor.ofVoid());
    control.asSlice(FX_IN, FX_BYTES).set(JAVA_INT, 24, 0x1f80);
    control.asSlice(FX_IN, FX_BYTES).set(JAVA_INT, 0, 0x37f);
    for (int i = 0; i < 16; i++) {
      gpr(i, 0);
    }
    gpr(RSP, dataVa() + data.byteSize() / 2);
    flags(2);
  }

  /** True on x86-64 Linux where executable memory can be mapped. */
  public static boolean isSupported() {
    String arch = System.getProperty("os.arch", "");
    String os = System.getProperty("os.name", "");
    if (!(arch.equals("amd64") || arch.equals("x86_64")) || !os.equals("Linux")) {
      return false;
    }
    try {
      new NativeFrame(1).close();
      return true;
    } catch (IllegalStateException e) {
      return false;
    }
  }

  /** Address of the data area, a page boundary. */
  public long dataVa() {
    return data.address();
  }

  /** The data area, as the instructions see it. */
  public MemorySegment data() {
    return data;
  }

  /** Sets general register {@code i} (0 RAX, 1 RCX, ... 15 R15) for the next run. */
  public void gpr(int i, long value) {
    control.set(JAVA_LONG, GPR_IN + i * 8L, value);
  }

  public long gprOut(int i) {
    return control.get(JAVA_LONG, GPR_OUT + i * 8L);
  }

  /**
   * Sets RFLAGS: TF, IF and what user mode cannot change are ignored or dangerous; keep to the
   * arithmetic flags and DF.
   */
  public void flags(long value) {
    control.set(JAVA_LONG, FLAGS_IN, value);
  }

  public long flagsOut() {
    return control.get(JAVA_LONG, FLAGS_OUT);
  }

  /** FXSAVE64 image that the next run loads. */
  public MemorySegment fxIn() {
    return control.asSlice(FX_IN, FX_BYTES);
  }

  /** FXSAVE64 image after the last run. */
  public MemorySegment fxOut() {
    return control.asSlice(FX_OUT, FX_BYTES);
  }

  /** Address of the instructions, for those that are relative to RIP. */
  public long codeVa() {
    return map.address() + insnsAt;
  }

  /** Sets the instructions of the next runs, at most 1 KiB. */
  public void code(byte[] insns) {
    if (insns.length > MAX_CODE) {
      throw new IllegalArgumentException("too much code: " + insns.length + " bytes");
    }
    at = insnsAt;
    bytes(insns);
    epilogue();
  }

  public void run() {
    try {
      enter.invokeExact();
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  @Override
  public void close() {
    try {
      MethodHandle munmap =
          Linker.nativeLinker()
              .downcallHandle(
                  Linker.nativeLinker().defaultLookup().findOrThrow("munmap"),
                  FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
      int unused = (int) munmap.invokeExact(map, map.byteSize());
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  private static MemorySegment mmap(long bytes) {
    try {
      MethodHandle mmap =
          Linker.nativeLinker()
              .downcallHandle(
                  Linker.nativeLinker().defaultLookup().findOrThrow("mmap"),
                  FunctionDescriptor.of(
                      JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
      long address =
          (long)
              mmap.invokeExact(0L, bytes, PROT_READ_WRITE_EXECUTE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
      if (address == -1) {
        throw new IllegalStateException("this host gives no executable memory");
      }
      return MemorySegment.ofAddress(address).reinterpret(bytes);
    } catch (IllegalStateException e) {
      throw e;
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  // --- the frame's own code ---

  private void bytes(byte[] bytes) {
    MemorySegment.copy(bytes, 0, map, JAVA_BYTE, at, bytes.length);
    at += bytes.length;
  }

  private void emit(int... bytes) {
    for (int b : bytes) {
      map.set(JAVA_BYTE, at++, (byte) b);
    }
  }

  /** The disp32 of a RIP-relative operand in the control page, which ends the instruction. */
  private void control(int offset) {
    int distance = PAGE + offset - (at + 4);
    for (int i = 0; i < 4; i++) {
      emit(distance >> 8 * i & 0xff);
    }
  }

  /** MOV between general register {@code r} and the control page: opcode 8B loads, 89 stores. */
  private void move(int opcode, int r, int offset) {
    emit(0x48 | r >> 3 << 2, opcode, 5 | (r & 7) << 3);
    control(offset);
  }

  private void prologue() {
    at = 0;
    emit(0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x9c); // push rbx..r15, flags
    move(0x89, RSP, HOST_RSP);
    emit(0x48, 0x0f, 0xae, 0x05); // fxsave64
    control(FX_HOST);
    emit(0x48, 0x0f, 0xae, 0x0d); // fxrstor64
    control(FX_IN);
    emit(0xff, 0x35); // push
    control(FLAGS_IN);
    emit(0x9d); // popfq
    for (int r = 0; r < 16; r++) {
      move(0x8b, r, GPR_IN + r * 8);
    }
  }

  private void epilogue() {
    move(0x89, RSP, GPR_OUT + RSP * 8);
    move(0x8b, RSP, HOST_RSP);
    for (int r = 0; r < 16; r++) {
      if (r != RSP) {
        move(0x89, r, GPR_OUT + r * 8);
      }
    }
    emit(0x9c, 0x8f, 0x05); // pushfq; pop
    control(FLAGS_OUT);
    emit(0x48, 0x0f, 0xae, 0x05); // fxsave64
    control(FX_OUT);
    emit(0x48, 0x0f, 0xae, 0x0d); // fxrstor64
    control(FX_HOST);
    // popfq; pop r15..rbx; ret
    emit(0x9d, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3);
  }

  /** Reads 8 bytes of a segment at any offset. */
  public static long long64(MemorySegment segment, long offset) {
    return segment.get(JAVA_LONG_UNALIGNED, offset);
  }
}
