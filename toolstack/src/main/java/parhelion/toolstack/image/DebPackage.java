package parhelion.toolstack.image;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import parhelion.media.codec.Bytes;
import parhelion.media.codec.CorruptDataException;
import parhelion.media.codec.GrowingBytes;
import parhelion.media.codec.Zstd;

/**
 * A Debian package file (deb(5)): an ar archive with a tar of control data and a tar of files.
 * Takes chosen files out of it and stops as soon as it has them, because a kernel lies near the
 * front of a package that unpacks to 400 MB.
 */
public final class DebPackage {
  private static final int AR_HEADER_BYTES = 60;
  private static final long MAX_FILE_BYTES = 1L << 30;
  private static final int MAX_ZSTD_BYTES = 1 << 30;
  private static final int MAX_CONTROL_BYTES = 1 << 20;
  private static final String REMEDY = "the package is cut off or corrupt: fetch it again";

  private DebPackage() {}

  /** What is wanted of a package. */
  public interface Selection {
    /** Whether to take a regular file with that path, which has no leading slash. */
    boolean wants(String path);

    /** Whether nothing more is needed once these have been taken. */
    boolean complete(List<String> taken);
  }

  /**
   * Extracts the selected regular files below a directory, under their own paths, readable for all
   * and executable as in the package. Links are not followed and not made.
   *
   * @return the paths taken, in the package's order
   * @throws ImageException if the package is missing, corrupt or larger than it may be
   */
  public static List<String> extract(
      Path deb, Path directory, Selection selection, Progress progress) {
    try (InputStream data = member(deb, "data.tar")) {
      return extractTar(data, directory, selection, progress);
    } catch (IOException e) {
      throw failure(deb, e);
    } catch (OutOfMemoryError e) {
      throw ImageException.of(
          deb.toString(), "unpacking it needs more memory than this process has", "raise -Xmx", e);
    }
  }

  /** The text of the package's control file. */
  public static String control(Path deb) {
    try (InputStream control = member(deb, "control.tar")) {
      TarReader tar = new TarReader(control);
      for (TarReader.Entry entry = tar.next(); entry != null; entry = tar.next()) {
        if (entry.path().equals("control") && entry.bytes() <= MAX_CONTROL_BYTES) {
          var text = new java.io.ByteArrayOutputStream();
          tar.copyTo(text, n -> {});
          return text.toString(StandardCharsets.UTF_8);
        }
      }
      throw new CorruptDataException("it has no control file");
    } catch (IOException e) {
      throw failure(deb, e);
    }
  }

  /** The package's control data, as a tar stream. */
  public static InputStream controlTar(Path deb) throws IOException {
    return member(deb, "control.tar");
  }

  /** The package's files, as a tar stream. */
  public static InputStream dataTar(Path deb) throws IOException {
    return member(deb, "data.tar");
  }

  private static ImageException failure(Path deb, IOException e) {
    String name = deb.toString();
    if (e instanceof NoSuchFileException) {
      return ImageException.of(name, "there is no such file", "check the path", e);
    }
    String what =
        e instanceof EOFException
            ? "it ends too early"
            : e.getMessage() == null ? "it cannot be read" : e.getMessage();
    return ImageException.of(name, what, REMEDY, e);
  }

  private static List<String> extractTar(
      InputStream data, Path directory, Selection selection, Progress progress) throws IOException {
    List<String> taken = new ArrayList<>();
    TarReader tar = new TarReader(data);
    for (TarReader.Entry entry = tar.next(); entry != null; entry = tar.next()) {
      if (!entry.regularFile() || entry.path().isEmpty() || !selection.wants(entry.path())) {
        continue;
      }
      if (entry.bytes() > MAX_FILE_BYTES) {
        throw new CorruptDataException("its file " + entry.path() + " is too large");
      }
      Path target = directory.resolve(entry.path());
      Files.createDirectories(target.getParent());
      Files.deleteIfExists(target);
      long total = entry.bytes();
      try (OutputStream out = Files.newOutputStream(target)) {
        String file = entry.path().substring(entry.path().lastIndexOf('/') + 1);
        Reporter reporter = new Reporter(progress, "unpacking " + file, total);
        tar.copyTo(out, reporter);
      }
      if ((entry.mode() & 0100) != 0 && !target.toFile().setExecutable(true, false)) {
        throw new IOException("cannot make " + target + " executable");
      }
      taken.add(entry.path());
      if (selection.complete(taken)) {
        break;
      }
    }
    return taken;
  }

  /** Tells the progress of one file, in steps that a person can read. */
  private static final class Reporter implements TarReader.ProgressSink {
    private static final int STEP_BYTES = 1 << 20;
    private final Progress progress;
    private final String what;
    private final long total;
    private long done;
    private long next;

    Reporter(Progress progress, String what, long total) {
      this.progress = progress;
      this.what = what;
      this.total = total;
    }

    @Override
    public void add(int bytes) {
      done += bytes;
      if (total > STEP_BYTES && (done >= next || done == total)) {
        progress.update(what, done, total);
        next = done + STEP_BYTES;
      }
    }
  }

  /** Opens {@code PREFIX}, {@code PREFIX.xz} and so on, unpacked. */
  private static InputStream member(Path deb, String prefix) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(deb), 1 << 16);
    try {
      byte[] magic = in.readNBytes(8);
      if (!Bytes.startsWith(magic, 0, '!', '<', 'a', 'r', 'c', 'h', '>', '\n')) {
        throw new CorruptDataException("it is not a Debian package");
      }
      while (true) {
        byte[] header = in.readNBytes(AR_HEADER_BYTES);
        if (header.length == 0) {
          throw new CorruptDataException("it has no " + prefix);
        }
        if (header.length < AR_HEADER_BYTES || header[58] != '`' || header[59] != '\n') {
          throw new CorruptDataException("its archive header is malformed");
        }
        String name = new String(header, 0, 16, StandardCharsets.US_ASCII).strip();
        name = name.endsWith("/") ? name.substring(0, name.length() - 1) : name;
        long size = size(new String(header, 48, 10, StandardCharsets.US_ASCII).strip());
        if (name.equals(prefix) || name.startsWith(prefix + ".")) {
          return unpacked(new Bounded(in, size), name, size);
        }
        in.skipNBytes(size + (size & 1));
      }
    } catch (IOException | RuntimeException e) {
      in.close();
      throw e;
    }
  }

  private static long size(String text) throws CorruptDataException {
    long size = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        throw new CorruptDataException("its archive header has a malformed size");
      }
      size = size * 10 + (c - '0');
    }
    if (text.isEmpty()) {
      throw new CorruptDataException("its archive header has no size");
    }
    return size;
  }

  private static InputStream unpacked(InputStream raw, String name, long size) throws IOException {
    String suffix = name.substring(name.indexOf(".tar") + 4);
    Compression kind =
        switch (suffix) {
          case "" -> Compression.NONE;
          case ".gz" -> Compression.GZIP;
          case ".bz2" -> Compression.BZIP2;
          case ".lzma" -> Compression.LZMA;
          case ".xz" -> Compression.XZ;
          case ".zst" -> Compression.ZSTD;
          default -> throw new CorruptDataException("its " + name + " is packed in an unknown way");
        };
    if (kind == Compression.ZSTD) {
      if (size > MAX_ZSTD_BYTES) {
        throw new CorruptDataException("its " + name + " is too large");
      }
      byte[] packed = raw.readNBytes((int) size);
      GrowingBytes out = new GrowingBytes(MAX_ZSTD_BYTES, 0, packed.length);
      Zstd.decode(packed, 0, packed.length, out);
      raw.close();
      return new ByteArrayInputStream(out.array, 0, out.length);
    }
    try {
      InputStream stream = Compression.streamOf(kind, raw);
      if (stream == null) {
        throw new IllegalStateException("no stream for " + kind);
      }
      return new Decoder(stream, kind.title());
    } catch (EOFException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException("its " + name + " is corrupt (" + e.getMessage() + ")", e);
    }
  }

  /** The first {@code left} bytes of a stream. */
  private static final class Bounded extends FilterInputStream {
    private long left;

    Bounded(InputStream in, long left) {
      super(in);
      this.left = left;
    }

    @Override
    public int read() throws IOException {
      if (left == 0) {
        return -1;
      }
      int b = super.read();
      left -= b < 0 ? 0 : 1;
      return b;
    }

    @Override
    public int read(byte[] b, int off, int len) throws IOException {
      if (left == 0) {
        return -1;
      }
      int n = super.read(b, off, (int) Math.min(len, left));
      left -= Math.max(n, 0);
      return n;
    }

    @Override
    public long skip(long n) throws IOException {
      long skipped = super.skip(Math.min(n, left));
      left -= skipped;
      return skipped;
    }

    @Override
    public boolean markSupported() {
      return false;
    }
  }

  /** Gives a decoder's unchecked exceptions and odd messages the form that ours have. */
  private static final class Decoder extends FilterInputStream {
    private final String title;

    Decoder(InputStream in, String title) {
      super(in);
      this.title = title;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] b, int off, int len) throws IOException {
      try {
        return super.read(b, off, len);
      } catch (EOFException e) {
        throw e;
      } catch (IOException | RuntimeException e) {
        throw new IOException("its " + title + " data are corrupt (" + e.getMessage() + ")", e);
      }
    }

    @Override
    public long skip(long n) throws IOException {
      byte[] waste = new byte[(int) Math.min(n, 1 << 16)];
      return n <= 0 ? 0 : Math.max(0, read(waste, 0, waste.length));
    }
  }
}
