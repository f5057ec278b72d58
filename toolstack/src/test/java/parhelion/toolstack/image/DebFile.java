package parhelion.toolstack.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Makes package files for tests. */
public final class DebFile {
  private DebFile() {}

  /** A tar archive with regular files, executable if their path has "bin/" in it. */
  static byte[] tar(Map<String, byte[]> files) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(out)) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        TarArchiveEntry entry = new TarArchiveEntry(file.getKey(), true);
        entry.setSize(file.getValue().length);
        entry.setMode(file.getKey().contains("bin/") ? 0100755 : 0100644);
        tar.putArchiveEntry(entry);
        tar.write(file.getValue());
        tar.closeArchiveEntry();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  /** A package with a control file and files, packed like this. */
  public static byte[] of(String control, Map<String, byte[]> files, Compression kind) {
    String suffix =
        switch (kind) {
          case NONE -> "";
          case GZIP -> ".gz";
          case BZIP2 -> ".bz2";
          case XZ -> ".xz";
          case LZMA -> ".lzma";
          default -> throw new IllegalArgumentException("cannot write " + kind);
        };
    byte[] controlTar = tar(Map.of("./control", control.getBytes(StandardCharsets.UTF_8)));
    return withData(controlTar, "data.tar" + suffix, Samples.pack(kind, tar(files)));
  }

  static byte[] withData(byte[] controlTar, String dataName, byte[] data) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ArArchiveOutputStream ar = new ArArchiveOutputStream(out)) {
      member(ar, "debian-binary", "2.0\n".getBytes(StandardCharsets.US_ASCII));
      member(ar, "control.tar.gz", Samples.pack(Compression.GZIP, controlTar));
      member(ar, dataName, data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void member(ArArchiveOutputStream ar, String name, byte[] data)
      throws IOException {
    ar.putArchiveEntry(new ArArchiveEntry(name, data.length));
    ar.write(data);
    ar.closeArchiveEntry();
  }
}
