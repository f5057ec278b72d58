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
 * jumps to {@link #exitVa}, stores the state.
 */
final class NativeArena implements AutoCloseable {
  /** The frame's way out: what the code jumps to in the end. */
  static final int EXIT = 1024;

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
  private static final int FX_IN = 512;
  private static final int FX_OUT = 1024;
  private static final int FX_HOST = 1536;

  private static final int RSP = 4;
  private static final int PROT_READ_WRITE_EXECUTE = 7;
  private static final int MAP_PRIVATE_ANONYMOUS_FIXED_NOREPLACE = 0x100022;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle ENTER = LINKER.downcallHandle(FunctionDescriptor.ofVoid());

  private static final String CPUINFO = readCpuinfo();

  final Arena arena;
  private final MemorySegment frame;

  /** Whether the host lets programs set the base of GS. */
  final boolean hasGsBase = hostOffers("fsgsbase");

  private int at;

  /** Throws IllegalStateException where the host gives no executable memory. */
  NativeArena() {
    arena = map();
    frame = MemorySegment.ofAddress(arena.va());
    prologue();
    at = EXIT;
    epilogue();
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
  void run(long entryVa, MachineState in, MachineState out) {
    long control = arena.va() + CONTROL;
    for (int i = 0; i < 16; i++) {
      U.putLong(control + GPR_IN + i * 8, in.gprs[i]);
    }
    U.putLong(control + FLAGS_IN, in.flags);
    U.putLong(control + GS_IN, in.gsBase);
    U.putLong(control + ENTRY, entryVa);
    U.copyMemory(
        in.fx, Unsafe.ARRAY_BYTE_BASE_OFFSET, null, control + FX_IN, MachineState.FX_BYTES);
    try {
      ENTER.invokeExact(frame);
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
    for (int i = 0; i < 16; i++) {
      out.gprs[i] = U.getLong(control + GPR_OUT + i * 8);
    }
    out.flags = U.getLong(control + FLAGS_OUT);
    out.gsBase = hasGsBase ? U.getLong(control + GS_OUT) : in.gsBase;
    U.copyMemory(
        null, control + FX_OUT, out.fx, Unsafe.ARRAY_BYTE_BASE_OFFSET, MachineState.FX_BYTES);
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

  long exitVa() {
    return arena.va() + EXIT;
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

  private void prologue() {
    at = 0;
    emit(0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x9c); // push rbx..r15, flags
    move(0x89, RSP, HOST_RSP);
    emit(0x48, 0x0f, 0xae, 0x05); // fxsave64
    control(FX_HOST);
    emit(0x48, 0x0f, 0xae, 0x0d); // fxrstor64
    control(FX_IN);
    if (hasGsBase) {
      move(0x8b, 0, GS_IN);
      emit(0xf3, 0x48, 0x0f, 0xae, 0xd8); // wrgsbase rax
    }
    emit(0xff, 0x35); // push
    control(FLAGS_IN);
    emit(0x9d); // popfq
    for (int r = 0; r < 16; r++) {
      move(0x8b, r, GPR_IN + r * 8);
    }
    emit(0xff, 0x25); // jmp
    control(ENTRY);
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
    if (hasGsBase) {
      emit(0xf3, 0x48, 0x0f, 0xae, 0xc8); // rdgsbase rax
      move(0x89, 0, GS_OUT);
      emit(0x31, 0xc0, 0xf3, 0x48, 0x0f, 0xae, 0xd8); // xor eax,eax; wrgsbase rax
    }
    emit(0x48, 0x0f, 0xae, 0x05); // fxsave64
    control(FX_OUT);
    emit(0x48, 0x0f, 0xae, 0x0d); // fxrstor64
    control(FX_HOST);
    // popfq; pop r15..rbx; ret
    emit(0x9d, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3);
  }
}
