package parhelion.toolstack.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorOutputStream;
import org.tukaani.xz.FilterOptions;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.LZMAOutputStream;
import org.tukaani.xz.X86Options;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZOutputStream;

/** Small files of every kind that the tests read, made here and the same every time. */
final class Samples {
  private Samples() {}

  /**
   * Data with words, runs and noise, so that every kind of sequence of a compressor occurs. The
   * fixtures {@code sample-*.zst} and {@code sample-*.lzo} were packed by zstd 1.5.4 and lzop 1.04
   * from {@code data(100_000, 1)}, those at level 1 from {@code data(300_000, 1)}.
   */
  static byte[] data(int bytes, long seed) {
    Random random = new Random(seed);
    String[] words = new String[200];
    for (int i = 0; i < words.length; i++) {
      byte[] word = new byte[2 + random.nextInt(12)];
      for (int j = 0; j < word.length; j++) {
        word[j] = (byte) ('a' + random.nextInt(26));
      }
      words[i] = new String(word, StandardCharsets.US_ASCII);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    while (out.size() < bytes) {
      int kind = random.nextInt(100);
      if (kind < 2) {
        out.writeBytes(new byte[random.nextInt(700)]);
      } else if (kind < 4) {
        byte[] noise = new byte[random.nextInt(300)];
        random.nextBytes(noise);
        out.writeBytes(noise);
      } else {
        out.writeBytes(words[random.nextInt(words.length)].getBytes(StandardCharsets.US_ASCII));
        out.write(' ');
      }
    }
    return java.util.Arrays.copyOf(out.toByteArray(), bytes);
  }

  static byte[] fixture(String name) {
    try (InputStream in = Samples.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no fixture " + name);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Packs data in a format that Java libraries can write. */
  static byte[] pack(Compression kind, byte[] data) {
    try {
      return switch (kind) {
        case NONE -> data;
        case GZIP -> through(data, GZIPOutputStream::new);
        case BZIP2 -> through(data, out -> new BZip2CompressorOutputStream(out, 1));
        case LZMA -> through(data, out -> new LZMAOutputStream(out, lzma(), -1));
        case XZ -> through(data, Samples::kernelXz);
        case LZ4 -> lz4Legacy(data);
        default -> throw new IllegalArgumentException("cannot write " + kind);
      };
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As scripts/xz_wrap.sh does: an x86 branch filter before LZMA2, CRC32. */
  private static OutputStream kernelXz(OutputStream out) throws IOException {
    FilterOptions[] filters = {new X86Options(), lzma()};
    return new XZOutputStream(out, filters, XZ.CHECK_CRC32);
  }

  private static LZMA2Options lzma() throws IOException {
    LZMA2Options options = new LZMA2Options(6);
    options.setDictSize(1 << 18); // thousands of them are unpacked in a row
    return options;
  }

  private interface Packer {
    OutputStream over(OutputStream out) throws IOException;
  }

  private static byte[] through(byte[] data, Packer packer) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream packed = packer.over(out)) {
      packed.write(data);
    }
    return out.toByteArray();
  }

  private static byte[] lz4Legacy(byte[] data) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(le32(Lz4.LEGACY_MAGIC));
    for (int at = 0; at < data.length; at += 8 << 20) {
      int length = Math.min(8 << 20, data.length - at);
      ByteArrayOutputStream block = new ByteArrayOutputStream();
      try (OutputStream packed = new BlockLZ4CompressorOutputStream(block)) {
        packed.write(data, at, length);
      }
      out.writeBytes(le32(block.size()));
      out.writeBytes(block.toByteArray());
    }
    return out.toByteArray();
  }

  static byte[] le32(int value) {
    return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
  }

  /** A bzImage with one setup sector and a payload, to which the unpacked size is appended. */
  static byte[] bzImage(Compression kind, byte[] elf) {
    byte[] packed = pack(kind, elf);
    int length = kind == Compression.GZIP ? packed.length : packed.length + 4;
    return bzImage(packed, length, elf.length);
  }

  static byte[] bzImage(byte[] packed, int payloadBytes, int unpackedBytes) {
    int padding = 48;
    ByteBuffer image = ByteBuffer.allocate(1024 + padding + packed.length + 4 + 100);
    image.order(ByteOrder.LITTLE_ENDIAN);
    image.put(0x1f1, (byte) 1);
    image.putShort(0x1fe, (short) 0xaa55);
    image.putInt(0x202, 0x53726448);
    image.putShort(0x206, (short) 0x20f);
    image.putShort(0x20e, (short) (0x300 - 0x200));
    image.put(0x300, "6.1.0-test (us)".getBytes(StandardCharsets.US_ASCII));
    image.putInt(0x248, padding);
    image.putInt(0x24c, payloadBytes);
    image.put(1024 + padding, packed);
    image.putInt(1024 + padding + packed.length, unpackedBytes);
    return image.array();
  }

  /** One ELF note. */
  record Note(String name, int type, byte[] desc) {
    static Note text(int type, String text) {
      return new Note("Xen", type, (text + "\0").getBytes(StandardCharsets.US_ASCII));
    }

    static Note number(int type, int bytes, long value) {
      byte[] desc = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
      return new Note("Xen", type, java.util.Arrays.copyOf(desc, bytes));
    }
  }

  /** What Debian's Linux says about itself. */
  static List<Note> linuxNotes() {
    ByteBuffer l1 = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(1).putLong(1);
    return new ArrayList<>(
        List.of(
            Note.text(6, "linux"),
            Note.text(7, "2.6"),
            Note.text(5, "xen-3.0"),
            Note.number(3, 8, 0xffffffff80000000L),
            Note.number(15, 8, 0x8000000000L),
            Note.number(1, 8, 0xffffffff81000010L),
            Note.text(10, "!writable_page_tables|pae_pgdir_above_4gb"),
            Note.number(17, 4, 0x8801),
            Note.text(9, "yes"),
            Note.text(8, "generic"),
            new Note("Xen", 13, l1.array()),
            Note.number(14, 4, 1),
            Note.number(16, 4, 1),
            Note.number(12, 8, 0xffff800000000000L),
            Note.number(4, 8, 0),
            new Note("GNU", 3, new byte[20]),
            Note.number(18, 8, 0x1000850)));
  }

  static final int ELF_DATA_AT = 0x1000;

  /** A kernel: one segment with the data at 16 MiB, its notes in a segment or in a section. */
  static byte[] elf(List<Note> notes, byte[] data, boolean notesInSegment) {
    byte[] noteBytes = notes(notes);
    byte[] names = "\0.text\0.notes\0.symtab\0.strtab\0".getBytes(StandardCharsets.US_ASCII);
    byte[] strings = "\0startup_xen\0start_kernel\0".getBytes(StandardCharsets.US_ASCII);
    byte[] symbols = symbols();
    int notesAt = ELF_DATA_AT + data.length + 7 & -8;
    int namesAt = notesAt + noteBytes.length;
    int stringsAt = namesAt + names.length;
    int symbolsAt = stringsAt + strings.length + 7 & -8;
    int sectionsAt = symbolsAt + symbols.length;
    ByteBuffer file = ByteBuffer.allocate(sectionsAt + 5 * 64).order(ByteOrder.LITTLE_ENDIAN);
    file.putInt(0, 0x464c457f).put(4, (byte) 2).put(5, (byte) 1).put(6, (byte) 1);
    file.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
    file.putLong(24, 0x1000000).putLong(32, 64).putLong(40, sectionsAt);
    file.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) 2);
    file.putShort(58, (short) 64).putShort(60, (short) 5).putShort(62, (short) 4);
    long va = 0xffffffff81000000L;
    programHeader(file, 64, 1, 7, ELF_DATA_AT, va, 0x1000000, data.length, data.length + 0x2000);
    int noteType = notesInSegment ? 4 : 6;
    programHeader(file, 120, noteType, 4, notesAt, va, 0, noteBytes.length, noteBytes.length);
    file.put(ELF_DATA_AT, data).put(notesAt, noteBytes).put(namesAt, names);
    file.put(stringsAt, strings).put(symbolsAt, symbols);
    section(file, sectionsAt + 64, 7, 7, notesAt, noteBytes.length, 0, 0);
    section(file, sectionsAt + 128, 14, 2, symbolsAt, symbols.length, 3, 24);
    section(file, sectionsAt + 192, 22, 3, stringsAt, strings.length, 0, 0);
    section(file, sectionsAt + 256, 1, 3, namesAt, names.length, 0, 0);
    return file.array();
  }

  private static byte[] symbols() {
    ByteBuffer table = ByteBuffer.allocate(3 * 24).order(ByteOrder.LITTLE_ENDIAN);
    table.putInt(24, 1).put(28, (byte) 0x12).putShort(30, (short) 1);
    table.putLong(32, 0xffffffff81000010L);
    table.putInt(48, 13).put(52, (byte) 0x12).putShort(54, (short) 1);
    table.putLong(56, 0xffffffff81000100L);
    return table.array();
  }

  private static void programHeader(
      ByteBuffer file,
      int at,
      int type,
      int flags,
      long offset,
      long va,
      long pa,
      long fileBytes,
      long memBytes) {
    file.putInt(at, type).putInt(at + 4, flags).putLong(at + 8, offset).putLong(at + 16, va);
    file.putLong(at + 24, pa).putLong(at + 32, fileBytes).putLong(at + 40, memBytes);
  }

  private static void section(
      ByteBuffer file, int at, int name, int type, long offset, long bytes, int link, long entry) {
    file.putInt(at, name).putInt(at + 4, type).putLong(at + 24, offset).putLong(at + 32, bytes);
    file.putInt(at + 40, link).putLong(at + 56, entry);
  }

  static byte[] notes(List<Note> notes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Note note : notes) {
      byte[] name = (note.name() + "\0").getBytes(StandardCharsets.US_ASCII);
      out.writeBytes(le32(name.length));
      out.writeBytes(le32(note.desc().length));
      out.writeBytes(le32(note.type()));
      out.writeBytes(name);
      out.writeBytes(new byte[-name.length & 3]);
      out.writeBytes(note.desc());
      out.writeBytes(new byte[-note.desc().length & 3]);
    }
    return out.toByteArray();
  }

  /** A plain Linux-like kernel. */
  static byte[] linux(byte[] data) {
    return elf(linuxNotes(), data, true);
  }
}
