package parhelion.testkit.oracle;

import static parhelion.cpu.memory.Host.U;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Recorded cases: code, and what the host's processor made of it. The state before is not recorded
 * but made from the header's seed and a number by {@link SingleCase} or {@link ProgramGenerator},
 * so a change to those needs a new recording ({@link CorpusRecorder}).
 *
 * <p>The file is gzip of: "PHCORPUS", version, address of the arena, seed, whether programs use the
 * base of GS, number of cases; and per case its kind, number of its state, offset, code, undefined
 * flags, and the 8-byte words of registers, flags, XSAVE image and data that changed.
 */
final class Corpus {
  private static final long MAGIC = 0x5048434f52505553L;
  private static final int VERSION = 2;
  private static final int MAX_CASES = 100_000;
  private static final int FX_WORDS = MachineState.XSAVE_BYTES / 8;

  /** A single instruction, or a program. */
  enum Kind {
    INSTRUCTION,
    PROGRAM,
    SELF_MODIFYING
  }

  /** Words that are not what they were before, by index. */
  record Changes(int[] indexes, long[] values) {}

  /** A recorded case. */
  record Case(
      Kind kind,
      int state,
      int offset,
      byte[] code,
      int undefinedFlags,
      Changes registers,
      Changes floats,
      Changes data) {}

  /** What is the same for all cases. */
  record Header(long arenaVa, long seed, boolean hasGsBase) {}

  final Header header;
  final List<Case> cases;

  Corpus(Header header, List<Case> cases) {
    this.header = header;
    this.cases = cases;
  }

  /** Fills state {@code number} for {@code program}. */
  static void fill(CaseInput input, Kind kind, Program program, long seed, int number) {
    FastRandom r = new FastRandom(FastRandom.mix(seed, number));
    input.compareAll();
    switch (kind) {
      case INSTRUCTION -> new SingleCase(program.code(), program.offset(), input).fill(r, true);
      case PROGRAM -> ProgramGenerator.fill(input, r, true);
      case SELF_MODIFYING -> SelfModifyingPrograms.fill(input, r, true);
    }
    if (kind != Kind.INSTRUCTION) {
      input.undefinedFlags = program.undefinedFlags();
    }
  }

  /** General registers, flags and the base of GS as words. */
  private static long[] words(MachineState s) {
    long[] words = new long[18];
    System.arraycopy(s.gprs, 0, words, 0, 16);
    words[16] = s.flags & 0xed5;
    words[17] = s.gsBase;
    return words;
  }

  private static long[] floats(MachineState s) {
    long[] words = new long[FX_WORDS];
    for (int i = 0; i < words.length; i++) {
      words[i] = s.get64(i * 8);
    }
    return words;
  }

  private static long[] data(long address) {
    long[] words = new long[Arena.DATA_BYTES / 8];
    for (int i = 0; i < words.length; i++) {
      words[i] = U.getLong(address + i * 8L);
    }
    return words;
  }

  private static Changes changes(long[] before, long[] after) {
    int n = 0;
    int[] indexes = new int[after.length];
    long[] values = new long[after.length];
    for (int i = 0; i < after.length; i++) {
      if (before[i] != after[i]) {
        indexes[n] = i;
        values[n++] = after[i];
      }
    }
    return new Changes(java.util.Arrays.copyOf(indexes, n), java.util.Arrays.copyOf(values, n));
  }

  /** The case of which the host has just made {@code out} and the data at {@code hostData}. */
  static Case record(
      Kind kind, int state, Program program, CaseInput in, MachineState out, long hostData) {
    for (int i = 0; i < in.ignoredData.length; i += 2) {
      int from = in.ignoredData[i];
      U.copyMemory(in.data + from, hostData + from, in.ignoredData[i + 1] - from);
    }
    // What processors put beside the registers says nothing.
    MachineState compared = new MachineState();
    compared.copyFrom(in.state);
    compared.put16(MachineState.FCW, out.get16(MachineState.FCW));
    compared.put16(MachineState.FSW, out.get16(MachineState.FSW));
    compared.put16(MachineState.FTW, out.get16(MachineState.FTW) & 0xff);
    compared.put16(MachineState.MXCSR, out.get16(MachineState.MXCSR));
    for (int i = 0; i < 8; i++) {
      int at = MachineState.ST + 16 * i;
      compared.put64(at, out.get64(at));
      compared.put16(at + 8, out.get16(at + 8));
    }
    for (int i = 0; i < 64; i++) {
      compared.put64(MachineState.vector(i), out.get64(MachineState.vector(i)));
    }
    return new Case(
        kind,
        state,
        program.offset(),
        program.code(),
        in.undefinedFlags,
        changes(words(in.state), words(out)),
        changes(floats(in.state), floats(compared)),
        changes(data(in.data), data(hostData)));
  }

  /** What the host made of {@code c}, given the state before; its data goes to {@code data}. */
  static MachineState expected(Case c, CaseInput in, long data) {
    MachineState out = new MachineState();
    out.copyFrom(in.state);
    for (int i = 0; i < c.registers.indexes.length; i++) {
      int index = c.registers.indexes[i];
      long value = c.registers.values[i];
      if (index < 16) {
        out.gprs[index] = value;
      } else if (index == 16) {
        out.flags = value;
      } else {
        out.gsBase = value;
      }
    }
    out.flags |= 0x202;
    for (int i = 0; i < c.floats.indexes.length; i++) {
      out.put64(c.floats.indexes[i] * 8, c.floats.values[i]);
    }
    U.copyMemory(in.data, data, Arena.DATA_BYTES);
    for (int i = 0; i < c.data.indexes.length; i++) {
      U.putLong(data + c.data.indexes[i] * 8L, c.data.values[i]);
    }
    return out;
  }

  void write(OutputStream to) throws IOException {
    try (DataOutputStream out = new DataOutputStream(new GZIPOutputStream(to))) {
      out.writeLong(MAGIC);
      out.writeInt(VERSION);
      out.writeLong(header.arenaVa);
      out.writeLong(header.seed);
      out.writeBoolean(header.hasGsBase);
      out.writeInt(cases.size());
      for (Case c : cases) {
        out.writeByte(c.kind.ordinal());
        out.writeInt(c.state);
        out.writeShort(c.offset);
        out.writeShort(c.code.length);
        out.write(c.code);
        out.writeInt(c.undefinedFlags);
        write(out, c.registers);
        write(out, c.floats);
        write(out, c.data);
      }
    }
  }

  private static void write(DataOutputStream out, Changes changes) throws IOException {
    out.writeShort(changes.indexes.length);
    for (int i = 0; i < changes.indexes.length; i++) {
      out.writeShort(changes.indexes[i]);
      out.writeLong(changes.values[i]);
    }
  }

  /** Reads a corpus; throws IOException where it is not one. */
  static Corpus read(InputStream from) throws IOException {
    try (DataInputStream in = new DataInputStream(new GZIPInputStream(from, 1 << 16))) {
      if (in.readLong() != MAGIC || in.readInt() != VERSION) {
        throw new IOException("not a corpus of version " + VERSION);
      }
      Header header = new Header(in.readLong(), in.readLong(), in.readBoolean());
      int count = in.readInt();
      if (count < 0 || count > MAX_CASES) {
        throw new IOException("a corpus of " + count + " cases");
      }
      List<Case> cases = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        Kind kind = Kind.values()[in.readUnsignedByte()];
        int state = in.readInt();
        int offset = in.readUnsignedShort();
        byte[] code = new byte[in.readUnsignedShort()];
        in.readFully(code);
        cases.add(
            new Case(
                kind,
                state,
                offset,
                code,
                in.readInt(),
                readChanges(in, 18),
                readChanges(in, FX_WORDS),
                readChanges(in, Arena.DATA_BYTES / 8)));
      }
      return new Corpus(header, cases);
    }
  }

  private static Changes readChanges(DataInputStream in, int limit) throws IOException {
    int n = in.readUnsignedShort();
    int[] indexes = new int[n];
    long[] values = new long[n];
    for (int i = 0; i < n; i++) {
      indexes[i] = in.readUnsignedShort();
      if (indexes[i] >= limit) {
        throw new IOException("word " + indexes[i] + " of " + limit);
      }
      values[i] = in.readLong();
    }
    return new Changes(indexes, values);
  }
}
