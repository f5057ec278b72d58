package parhelion.testkit.oracle;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static parhelion.cpu.memory.Host.U;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import jdk.internal.misc.Unsafe;

/**
 * The {@link Arena} on the host's processor: readable, writable and executable memory with a small
 * frame in its first page that loads a {@link MachineState}, jumps into the code and, when the code
 * jumps to {@link #exit}, stores the state.
 */
final class NativeArena implements AutoCloseable {
  /** The frame's way out: what the code jumps to in the end. */
  static final int EXIT = 1024;

  /** The same for 32-bit code: its way in, and its way out by a far jump. */
  private static final int ENTER_32 = 512;

  static final int EXIT_32 = 1536;

  /** Linux' selectors: 64-bit code, 32-bit code, data. */
  static final int CS_64 = 0x33;

  static final int CS_32 = 0x23;
  static final int DATA_SELECTOR = 0x2b;

  // The control page, from its start.
  private static final int CONTROL = Arena.PAGE;
  private static final int GPR_IN = 0;
  private static final int GPR_OUT = 128;
  private static final int FLAGS_IN = 256;
  private static final int FLAGS_OUT = 264;
  private static final int HOST_RSP = 272;
  private static final int ENTRY = 280;
  private static final int GS_IN = 288;
  private static final int GS_OUT = 296;
  private static final int FAR_ENTRY = 304;
  private static final int FX_IN = 512;
  private static final int FX_OUT = 1536;
  private static final int FX_HOST = 2560;

  private static final int RSP = 4;
  private static final int PROT_READ_WRITE_EXECUTE = 7;
  private static final int MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x100022;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle ENTER = LINKER.downcallHandle(FunctionDescriptor.ofVoid());

  private static final String CPUINFO = readCpuinfo();

  final Arena arena;
  private final MemorySegment frame;
  private final MemorySegment frame32;

  /** Whether the host lets programs set the base of GS. */
  final boolean hasGsBase = hostOffers("fsgsbase");

  /** Whether the host has YMM registers; without, their upper halves stay as they are. */
  private final boolean hasAvx = hostOffers("avx");

  private int at;

  /** Throws IllegalStateException where the host gives no executable memory. */
  NativeArena() {
    arena = map();
    frame = MemorySegment.ofAddress(arena.va());
    frame32 = MemorySegment.ofAddress(arena.va() + ENTER_32);
    prologue(0, false);
    epilogue(EXIT, false);
    prologue(ENTER_32, true);
    epilogue(EXIT_32, true);
  }

  /** True on x86-64 Linux where executable memory can be mapped. */
  static boolean isSupported() {
    String arch = System.getProperty("os.arch", "");
    if (!(arch.equals("amd64") || arch.equals("x86_64"))
        || !System.getProperty("os.name", "").equals("Linux")) {
      return false;
    }
    try {
      new NativeArena().close();
      return true;
    } catch (IllegalStateException e) {
      return false;
    }
  }

  /** Whether /proc/cpuinfo lists {@code flag}. */
  static boolean hostOffers(String flag) {
    return CPUINFO.contains(" " + flag + " ");
  }

  private static String readCpuinfo() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
        if (line.startsWith("flags")) {
          return line + " ";
        }
      }
    } catch (IOException e) {
      // Another system: no optional features.
    }
    return "";
  }

  /**
   * Loads {@code in}, executes from {@code entryVa} until the code leaves, stores into {@code out}.
   */
  void run(long entryVa, MachineState in, MachineState out, int codeBits) {
    long control = arena.va() + CONTROL;
    for (int i = 0; i < 16; i++) {
      U.putLong(control + GPR_IN + i * 8, in.gprs[i]);
    }
    U.putLong(control + FLAGS_IN, in.flags);
    U.putLong(control + GS_IN, in.gsBase);
    U.putLong(control + ENTRY, entryVa);
    U.putLong(control + FAR_ENTRY, entryVa | (long) CS_32 << 32);
    U.copyMemory(
        in.fx, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, control + FX_IN, MachineState.XSAVE_BYTES);
    try {
      MemorySegment start = codeBits == 64 ? frame : frame32;
      ENTER.invokeExact(start);
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
    for (int i = 0; i < 16; i++) {
      out.gprs[i] = U.getLong(control + GPR_OUT + i * 8);
    }
    out.flags = U.getLong(control + FLAGS_OUT);
    out.gsBase = hasGsBase ? U.getLong(control + GS_OUT) : in.gsBase;
    out.copyFloatsFrom(in);
    int bytes = hasAvx ? MachineState.XSAVE_BYTES : MachineState.FX_BYTES;
    U.copyMemory(null, control + FX_OUT, out.fx, Unsafe.ARRAY_BYTE_BASE_OFFSET, bytes);
  }

  @Override
  public void close() {
    munmap(arena.va());
  }

  private static Arena map() {
    for (long place : Arena.PLACES) {
      long address = mmap(place);
      if (address == place) {
        return new Arena(place);
      }
      if (address > 0) {
        munmap(address);
      }
    }
    throw new IllegalStateException("this host gives no executable memory below 2 GiB");
  }

  /** Bytes of the jump from {@code va} out of code. */
  byte[] exit(long va, int codeBits) {
    if (codeBits == 64) {
      return new CodeWriter().emit(0xe9).int32(arena.va() + EXIT - (va + 5)).toBytes();
    }
    return new CodeWriter().emit(0xea).int32(arena.va() + EXIT_32).int16(CS_64).toBytes();
  }

  /** Whether the host's user mode has a 32-bit code segment where Linux puts it. */
  boolean has32BitCode() {
    MachineState in = new MachineState();
    MachineState out = new MachineState();
    in.gprs[0] = CS_32;
    in.gprs[RSP] = arena.dataVa() + Arena.PAGE;
    long va = arena.codeVa();
    // lar ecx, eax
    byte[] code = new CodeWriter().emit(0x0f, 0x02, 0xc8).emit(exit(va + 3, 64)).toBytes();
    U.copyMemory(code, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, va, code.length);
    run(va, in, out, 64);
    // Present, DPL 3, code, and D without L.
    return (out.flags & 0x40) != 0 && (out.gprs[1] & 0x60f800) == 0x40f800;
  }

  private static long mmap(long place) {
    try {
      MethodHandle mmap =
          LINKER.downcallHandle(
              LINKER.defaultLookup().findOrThrow("mmap"),
              FunctionDescriptor.of(
                  JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
      return (long)
          mmap.invokeExact(
              place,
              (long) Arena.BYTES,
              PROT_READ_WRITE_EXECUTE,
              MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE,
              -1,
              0L);
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  private static void munmap(long address) {
    try {
      MethodHandle munmap =
          LINKER.downcallHandle(
              LINKER.defaultLookup().findOrThrow("munmap"),
              FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));
      int unused = (int) munmap.invokeExact(MemorySegment.ofAddress(address), (long) Arena.BYTES);
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  // --- the frame's own code ---

  private void emit(int... bytes) {
    for (int b : bytes) {
      U.putByte(arena.va() + at++, (byte) b);
    }
  }

  /** The disp32 of a RIP-relative operand in the control page, which ends the instruction. */
  private void control(int offset) {
    int distance = CONTROL + offset - (at + 4);
    for (int i = 0; i < 4; i++) {
      emit(distance >> 8 * i & 0xff);
    }
  }

  /** MOV between general register {@code r} and the control page: opcode 8B loads, 89 stores. */
  private void move(int opcode, int r, int offset) {
    emit(0x48 | r >> 3 << 2, opcode, 5 | (r & 7) << 3);
    control(offset);
  }

  /** Stores the x87, SSE and AVX state; RAX and RDX are free. */
  private void saveFloats(int to) {
    components();
    emit(0x48, 0x0f, 0xae, hasAvx ? 0x25 : 0x05); // xsave64 or fxsave64
    control(to);
  }

  private void restoreFloats(int from) {
    components();
    emit(0x48, 0x0f, 0xae, hasAvx ? 0x2d : 0x0d); // xrstor64 or fxrstor64
    control(from);
  }

  /** EDX:EAX selects x87, SSE and AVX. */
  private void components() {
    emit(0xb8, 7, 0, 0, 0, 0x31, 0xd2); // mov eax,7; xor edx,edx
  }

  private void prologue(int start, boolean to32) {
    at = start;
    emit(0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x9c); // push rbx..r15, flags
    move(0x89, RSP, HOST_RSP);
    saveFloats(FX_HOST);
    restoreFloats(FX_IN);
    if (hasGsBase) {
      move(0x8b, 0, GS_IN);
      emit(0xf3, 0x48, 0x0f, 0xae, 0xd8); // wrgsbase rax
    }
    if (to32) {
      emit(0xb8, DATA_SELECTOR, 0, 0, 0, 0x8e, 0xd8, 0x8e, 0xc0); // mov eax,..; mov ds,eax; es
    }
    emit(0xff, 0x35); // push
    control(FLAGS_IN);
    emit(0x9d); // popfq
    for (int r = 0; r < 16; r++) {
      move(0x8b, r, GPR_IN + r * 8);
    }
    emit(0xff, to32 ? 0x2d : 0x25); // jmp, near or far
    control(to32 ? FAR_ENTRY : ENTRY);
  }

  private void epilogue(int start, boolean from32) {
    at = start;
    move(0x89, RSP, GPR_OUT + RSP * 8);
    move(0x8b, RSP, HOST_RSP);
    for (int r = 0; r < 16; r++) {
      if (r != RSP) {
        move(0x89, r, GPR_OUT + r * 8);
      }
    }
    emit(0x9c, 0x8f, 0x05); // pushfq; pop
    control(FLAGS_OUT);
    if (from32) {
      emit(0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0); // xor eax,eax; mov ds,eax; mov es,eax
    }
    if (hasGsBase) {
      emit(0xf3, 0x48, 0x0f, 0xae, 0xc8); // rdgsbase rax
      move(0x89, 0, GS_OUT);
      emit(0x31, 0xc0, 0xf3, 0x48, 0x0f, 0xae, 0xd8); // xor eax,eax; wrgsbase rax
    }
    saveFloats(FX_OUT);
    restoreFloats(FX_HOST);
    // popfq; pop r15..rbx; ret
    emit(0x9d, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3);
  }
}
