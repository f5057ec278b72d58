package parhelion.process;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;

/**
 * A static program of a few instructions, put together byte by byte: code at {@link #CODE}, data
 * that can be written at {@link #DATA}.
 */
final class TinyProgram {
  static final long CODE = 0x40_0000L;
  static final long DATA = 0x50_0000L;
  private static final int HEADERS = 64 + 3 * 56;
  private static final int[] MOVES = {0x48bf, 0x48be, 0x48ba, 0x49ba, 0x49b8, 0x49b9};

  private final ByteArrayOutputStream code = new ByteArrayOutputStream();
  private final List<Byte> data = new ArrayList<>();

  TinyProgram raw(int... bytes) {
    for (int each : bytes) {
      code.write(each);
    }
    return this;
  }

  private void imm64(long value) {
    for (int i = 0; i < 8; i++) {
      code.write((int) (value >>> (8 * i)));
    }
  }

  /** System call with constant arguments; RAX has the result afterwards. */
  TinyProgram call(Syscall call, long... arguments) {
    return call(call.number, arguments);
  }

  TinyProgram call(int number, long... arguments) {
    for (int i = 0; i < arguments.length; i++) {
      raw(MOVES[i] >>> 8, MOVES[i] & 0xff);
      imm64(arguments[i]);
    }
    raw(0xb8, number, number >>> 8, number >>> 16, number >>> 24);
    return raw(0x0f, 0x05);
  }

  /** Ends with the negated low byte of the last result as status: the errno of a failed call. */
  TinyProgram exitWithErrno() {
    raw(0x48, 0x89, 0xc7); // mov rdi, rax
    raw(0x48, 0xf7, 0xdf); // neg rdi
    raw(0xb8, 231, 0, 0, 0);
    return raw(0x0f, 0x05);
  }

  /** Ends with the low byte of the last result as status. */
  TinyProgram exitWithResult() {
    raw(0x48, 0x89, 0xc7);
    raw(0xb8, 231, 0, 0, 0);
    return raw(0x0f, 0x05);
  }

  TinyProgram exit(int status) {
    return call(Syscall.EXIT_GROUP, status);
  }

  /** Address of the next instruction. */
  long here() {
    return CODE + HEADERS + code.size();
  }

  /** Puts a C string into the data; returns its address. */
  long string(String text) {
    long va = DATA + data.size();
    for (char c : text.toCharArray()) {
      data.add((byte) c);
    }
    data.add((byte) 0);
    return va;
  }

  /** Reserves bytes in the data, aligned to 16. */
  long room(int bytes) {
    while (data.size() % 16 != 0) {
      data.add((byte) 0);
    }
    long va = DATA + data.size();
    for (int i = 0; i < bytes; i++) {
      data.add((byte) 0);
    }
    return va;
  }

  byte[] elf() {
    byte[] text = code.toByteArray();
    int dataAt = (HEADERS + text.length + 4095) & -4096;
    byte[] out = new byte[dataAt + data.size()];
    Bytes.put32(out, 0, 0x464c_457f);
    out[4] = 2;
    out[5] = 1;
    out[6] = 1;
    Bytes.put16(out, 16, 2);
    Bytes.put16(out, 18, 62);
    Bytes.put32(out, 20, 1);
    Bytes.put64(out, 24, CODE + HEADERS);
    Bytes.put64(out, 32, 64);
    Bytes.put16(out, 52, 64);
    Bytes.put16(out, 54, 56);
    Bytes.put16(out, 56, 3);
    segment(out, 64, 5, 0, CODE, HEADERS + text.length, HEADERS + text.length);
    segment(out, 120, 6, dataAt, DATA, data.size(), data.size() + 0x2000);
    Bytes.put32(out, 176, 0x6474_e551);
    Bytes.put32(out, 180, 6);
    System.arraycopy(text, 0, out, HEADERS, text.length);
    for (int i = 0; i < data.size(); i++) {
      out[dataAt + i] = data.get(i);
    }
    return out;
  }

  private static void segment(
      byte[] out, int at, int flags, long offset, long va, long fileBytes, long memoryBytes) {
    Bytes.put32(out, at, 1);
    Bytes.put32(out, at + 4, flags);
    Bytes.put64(out, at + 8, offset);
    Bytes.put64(out, at + 16, va);
    Bytes.put64(out, at + 32, fileBytes);
    Bytes.put64(out, at + 40, memoryBytes);
  }

  Path write(Path directory) throws IOException {
    Path file = directory.resolve("program");
    Files.write(file, elf());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    return file;
  }
}
