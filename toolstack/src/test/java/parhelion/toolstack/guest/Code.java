package parhelion.toolstack.guest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import parhelion.abi.Hypercall;
import parhelion.toolstack.image.ElfImage;

/**
 * A guest kernel of a few instructions, put together in a test: the tour's ELF file with other code
 * at its entry point. It begins with RSI = start_info, which it keeps in R15.
 */
final class Code {
  static final int RAX = 0;
  static final int RBX = 3;
  static final int RSP = 4;
  static final int RBP = 5;
  static final int RSI = 6;
  static final int RDI = 7;

  private static final int RDX = 2;
  private static final int R8 = 8;
  private static final int R10 = 10;

  /** Where the code begins; a page of it is free. */
  static final long START = 0xffff_ffff_8010_0000L;

  /** Room for data: pages that are mapped, writable and zero, and the first one's frame. */
  static final long DATA = START + 0x6000;

  static final int DATA_PFN = 0x106;

  /** The end of a stack that may be used. */
  static final long STACK_TOP = START + 0xc000;

  private static final int FILE_OFFSET = 0x1000;
  private static final int ROOM = 0x1000;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  Code() {
    bytes(0x49, 0x89, 0xf7); // mov %rsi, %r15
  }

  Code bytes(int... bytes) {
    for (int b : bytes) {
      out.write(b);
    }
    return this;
  }

  /** The address of what comes next. */
  long here() {
    return START + out.size();
  }

  private Code number(long value, int size) {
    for (int i = 0; i < size; i++) {
      out.write((int) (value >>> 8 * i));
    }
    return this;
  }

  Code mov(int register, long value) {
    return bytes(0x48 | register >> 3, 0xb8 | register & 7).number(value, 8);
  }

  Code jmp(long target) {
    return bytes(0xe9).number(target - here() - 4, 4);
  }

  Code spin() {
    return bytes(0xeb, 0xfe);
  }

  Code store64(long va, long value) {
    return mov(RAX, value).mov(RBX, va).bytes(0x48, 0x89, 0x03);
  }

  Code store32(long va, long value) {
    return mov(RAX, value).mov(RBX, va).bytes(0x89, 0x03);
  }

  Code hypercall(Hypercall call, long... args) {
    int[] registers = {RDI, RSI, RDX, R10, R8};
    for (int i = 0; i < args.length; i++) {
      mov(registers[i], args[i]);
    }
    return mov(RAX, call.nr()).bytes(0x0f, 0x05);
  }

  /** SCHEDOP_shutdown. */
  Code shutdown(int reason) {
    return store32(DATA + 0xff0, reason).hypercall(Hypercall.SCHED_OP, 2, DATA + 0xff0);
  }

  /** Sets handlers for a number of vectors, all with one address. */
  Code handlers(long address, int... vectors) {
    long at = DATA + 0x800;
    for (int vector : vectors) {
      store64(at, vector | 0xe033L << 16).store64(at + 8, address);
      at += 16;
    }
    return hypercall(Hypercall.SET_TRAP_TABLE, DATA + 0x800);
  }

  ElfImage kernel() {
    byte[] code = out.toByteArray();
    if (code.length > ROOM) {
      throw new IllegalStateException(code.length + " bytes of code");
    }
    try (InputStream in =
        Objects.requireNonNull(Tour.class.getResourceAsStream("/parhelion/toolstack/tour.elf"))) {
      byte[] elf = in.readAllBytes();
      System.arraycopy(code, 0, elf, FILE_OFFSET, code.length);
      return ElfImage.parse(ByteBuffer.wrap(elf), "a test's guest");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
