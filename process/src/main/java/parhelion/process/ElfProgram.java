package parhelion.process;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.process.file.OpenFile;

/** The header of an ELF64 program for x86-64, checked. Anything else is ENOEXEC. */
final class ElfProgram {
  static final int PT_LOAD = 1;
  private static final int PT_INTERP = 3;
  private static final int PT_PHDR = 6;
  private static final int PT_GNU_STACK = 0x6474_e551;
  private static final int MAX_HEADERS = 128;

  /** A loadable segment; {@code rights} as PROT_ bits. */
  record Segment(long offset, long va, long fileBytes, long memoryBytes, int rights) {}

  final boolean positionIndependent;
  final long entry;
  final int headerCount;

  /** Address of the program headers, or 0. */
  final long headersVa;

  final List<Segment> segments = new ArrayList<>();
  final @Nullable String interpreter;
  final boolean executableStack;

  ElfProgram(OpenFile file) {
    byte[] h = read(file, 0, 64);
    if (Bytes.get32(h, 0) != 0x464c_457f
        || h[4] != 2
        || h[5] != 1
        || Bytes.get16(h, 18) != 62
        || (Bytes.get16(h, 16) != 2 && Bytes.get16(h, 16) != 3)) {
      throw new LinuxError(Errno.ENOEXEC);
    }
    positionIndependent = Bytes.get16(h, 16) == 3;
    entry = Bytes.get64(h, 24);
    headerCount = Bytes.get16(h, 56);
    long headersAt = Bytes.get64(h, 32);
    if (Bytes.get16(h, 54) != 56
        || headerCount == 0
        || headerCount > MAX_HEADERS
        || headersAt < 0) {
      throw new LinuxError(Errno.ENOEXEC);
    }
    byte[] table = read(file, headersAt, headerCount * 56);
    String interp = null;
    boolean execStack = false;
    long phdrVa = 0;
    for (int i = 0; i < headerCount; i++) {
      int at = i * 56;
      int type = Bytes.get32(table, at);
      int flags = Bytes.get32(table, at + 4);
      long offset = Bytes.get64(table, at + 8);
      long va = Bytes.get64(table, at + 16);
      long fileBytes = Bytes.get64(table, at + 32);
      switch (type) {
        case PT_LOAD -> {
          Segment s =
              new Segment(offset, va, fileBytes, Bytes.get64(table, at + 40), rights(flags));
          check(s);
          segments.add(s);
          if (headersAt >= offset && headersAt < offset + fileBytes) {
            phdrVa = headersAt - offset + va;
          }
        }
        case PT_INTERP -> {
          if (fileBytes < 2 || fileBytes > 4096 || offset < 0) {
            throw new LinuxError(Errno.ENOEXEC);
          }
          byte[] name = read(file, offset, (int) fileBytes);
          interp = new String(name, 0, name.length - 1, StandardCharsets.ISO_8859_1);
        }
        case PT_PHDR -> phdrVa = va;
        case PT_GNU_STACK -> execStack = (flags & 1) != 0;
        default -> {}
      }
    }
    if (segments.isEmpty()) {
      throw new LinuxError(Errno.ENOEXEC);
    }
    interpreter = interp;
    executableStack = execStack;
    headersVa = phdrVa;
  }

  private static int rights(int flags) {
    return (flags >>> 2 & 1) | (flags & 2) | (flags & 1) << 2;
  }

  private static void check(Segment s) {
    boolean sane =
        s.va >= 0
            && s.offset >= 0
            && s.fileBytes >= 0
            && s.memoryBytes >= s.fileBytes
            && s.memoryBytes < 1L << 46
            && s.va < 1L << 47
            && s.offset < 1L << 46
            && (s.va & 4095) == (s.offset & 4095);
    if (!sane) {
      throw new LinuxError(Errno.ENOEXEC);
    }
  }

  private static byte[] read(OpenFile file, long at, int length) {
    byte[] bytes = new byte[length];
    if (file.readAt(bytes, length, at) != length) {
      throw new LinuxError(Errno.ENOEXEC);
    }
    return bytes;
  }

  /** First page of the lowest segment. */
  long lowest() {
    return segments.stream().mapToLong(s -> s.va & -4096L).min().orElse(0);
  }

  /** End of the highest segment, rounded up to pages. */
  long highest() {
    return segments.stream().mapToLong(s -> (s.va + s.memoryBytes + 4095) & -4096L).max().orElse(0);
  }
}
