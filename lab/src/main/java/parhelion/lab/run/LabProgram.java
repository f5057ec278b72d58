package parhelion.lab.run;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import parhelion.toolstack.image.Initramfs;

/**
 * The program that does the rows in a guest ({@code guests/lab} in the source tree): static, for
 * x86-64, and without needs but Linux's system calls.
 */
public final class LabProgram {
  /** Where a guest has it, and the list of rows, and the user's command. */
  public static final String PATH = "/parhelion-lab";

  static final String ROWS = "/parhelion-lab.rows";
  static final String COMMAND = "/parhelion-lab.cmd";

  private static final String RESOURCE = "/parhelion/lab/lab.elf";

  private LabProgram() {}

  /** The executable file. */
  public static byte[] bytes() {
    try (InputStream in = LabProgram.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new IllegalStateException(RESOURCE + " cannot be read", e);
    }
  }

  /** The list of rows as the program reads it: they are numbered from 1. */
  static String list(List<String> rows) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < rows.size(); i++) {
      text.append(i + 1).append(' ').append(rows.get(i)).append('\n');
    }
    return text.toString();
  }

  /** What goes behind another initramfs, and adds the program below a place in it. */
  static Initramfs overlay(String place, List<String> rows, String shellText) {
    return new Initramfs()
        .file(place + PATH.substring(1), 0755, bytes())
        .file(place + ROWS.substring(1), 0644, list(rows).getBytes(StandardCharsets.UTF_8))
        .file(
            place + COMMAND.substring(1),
            0644,
            (shellText + "\n").getBytes(StandardCharsets.UTF_8));
  }
}
