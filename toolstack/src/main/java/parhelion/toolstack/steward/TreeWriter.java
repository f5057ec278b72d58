package parhelion.toolstack.steward;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Sends a file or directory of the host's in the format of {@link TreeFormat}. For one thread. */
final class TreeWriter {
  private final OutputStream out;
  private final byte[] chunk = new byte[TreeFormat.MAX_CHUNK];

  TreeWriter(OutputStream out) {
    this.out = out;
  }

  /** Sends it; a link at the top is followed, others are sent as links. */
  void write(Path top) throws IOException {
    send(top.toRealPath(), "");
    entry(TreeFormat.LAST, "", 0, 0, 0);
    out.flush();
  }

  private void send(Path path, String name) throws IOException {
    BasicFileAttributes a =
        Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    long seconds = a.lastModifiedTime().to(TimeUnit.SECONDS);
    if (a.isSymbolicLink()) {
      entry(TreeFormat.LINK, name, 0777, seconds, 0);
      byte[] target = Files.readSymbolicLink(path).toString().getBytes(StandardCharsets.UTF_8);
      System.arraycopy(target, 0, chunk, 0, target.length);
      chunk(target.length);
      chunk(0);
    } else if (a.isDirectory()) {
      int mode = mode(path);
      entry(TreeFormat.DIRECTORY, name, mode, seconds, 0);
      for (Path child : children(path)) {
        String file = String.valueOf(child.getFileName());
        send(child, name.isEmpty() ? file : name + '/' + file);
      }
      entry(TreeFormat.LEAVE, name, mode, seconds, 0);
    } else if (a.isRegularFile()) {
      try (InputStream in = Files.newInputStream(path)) {
        entry(TreeFormat.FILE, name, mode(path), seconds, a.size());
        for (int n = in.read(chunk); n > 0; n = in.read(chunk)) {
          chunk(n);
        }
        chunk(0);
      }
    } else {
      throw new IOException(path + ": is no file, directory or link: leave it out");
    }
  }

  private static List<Path> children(Path directory) throws IOException {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(children::add);
    }
    children.sort(null);
    return children;
  }

  private static int mode(Path path) throws IOException {
    if (!path.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      return Files.isDirectory(path) ? 0755 : 0644;
    }
    return (Integer) Files.getAttribute(path, "unix:mode") & 07777;
  }

  private void entry(byte kind, String name, int mode, long seconds, long size) throws IOException {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > TreeFormat.MAX_NAME_BYTES) {
      throw new IOException(name + ": the path is too long");
    }
    out.write(new TreeFormat.Entry(kind, bytes.length, mode, seconds, size).toBytes());
    out.write(bytes);
  }

  private void chunk(int length) throws IOException {
    out.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(length).array());
    out.write(chunk, 0, length);
  }
}
