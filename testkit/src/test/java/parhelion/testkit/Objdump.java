package parhelion.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Runs binutils' objdump on bytes, to compare our disassembler with. */
final class Objdump {
  /** What objdump says of one instruction. */
  record Line(long offset, int length, String text) {}

  /** Each instruction of a list stands in a slot of its own, padded with NOPs. */
  static final int SLOT_BYTES = 32;

  /** An image ends at 64 KiB: objdump does not wrap IP there. */
  static final int PER_IMAGE = 0x10000 / SLOT_BYTES;

  private Objdump() {}

  static boolean isPresent() {
    return Arrays.stream(System.getenv().getOrDefault("PATH", "/usr/bin").split(":"))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, "objdump")));
  }

  /**
   * Disassembles instructions that have nothing to do with each other.
   *
   * @return by position in the list; each at offset {@code position % PER_IMAGE * SLOT_BYTES}
   */
  static List<Line> instructions(List<byte[]> instructions, int codeBits) {
    List<Line> slots = new ArrayList<>();
    for (int first = 0; first < instructions.size(); first += PER_IMAGE) {
      int count = Math.min(PER_IMAGE, instructions.size() - first);
      byte[] image = new byte[count * SLOT_BYTES];
      Arrays.fill(image, (byte) 0x90);
      for (int i = 0; i < count; i++) {
        byte[] bytes = instructions.get(first + i);
        System.arraycopy(bytes, 0, image, i * SLOT_BYTES, bytes.length);
      }
      Line[] found = new Line[count];
      Arrays.fill(found, new Line(-1, -1, "another instruction runs into this one"));
      for (Line line : image(image, codeBits)) {
        if (line.offset() % SLOT_BYTES == 0) {
          found[(int) line.offset() / SLOT_BYTES] = line;
        }
      }
      slots.addAll(Arrays.asList(found));
    }
    return slots;
  }

  /** Disassembles an image from its first byte to its last. */
  static List<Line> image(byte[] image, int codeBits) {
    try {
      Path file = Files.createTempFile("objdump", ".bin");
      try {
        Files.write(file, image);
        String machine = codeBits == 64 ? "i386:x86-64" : codeBits == 32 ? "i386" : "i8086";
        return run(
            List.of(
                "objdump",
                "-D",
                "-b",
                "binary",
                "-w",
                "-z",
                "-m",
                machine,
                "-M",
                "intel,intel64",
                "--insn-width=16",
                file.toString()));
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Line> run(List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    List<Line> lines = new ArrayList<>();
    try (var reader = process.inputReader(StandardCharsets.ISO_8859_1)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        String[] fields = line.split("\t", 3);
        if (fields.length >= 2 && fields[0].endsWith(":") && fields[0].startsWith(" ")) {
          int length = fields[1].strip().split(" ").length;
          long offset = Long.parseLong(fields[0].strip().replace(":", ""), 16);
          lines.add(new Line(offset, length, fields.length == 3 ? normal(fields[2]) : ""));
        }
      }
    }
    return lines;
  }

  static String normal(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }
}
