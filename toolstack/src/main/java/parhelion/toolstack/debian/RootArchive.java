package parhelion.toolstack.debian;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import parhelion.toolstack.image.DebPackage;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/**
 * A tar of a root file system in which packages are unpacked and not yet configured, with dpkg's
 * database to say so. A guest that unpacks it has little left to do but {@code dpkg --configure
 * -a}: the host has many times its speed for all that needs no root. One thread.
 */
final class RootArchive implements AutoCloseable {
  private static final int MAX_CONTROL_BYTES = 16 << 20;
  private static final String DATABASE = "./var/lib/dpkg/";
  private static final Set<String> SCRIPTS =
      Set.of("preinst", "postinst", "prerm", "postrm", "config");

  /** Directories that a system with merged /usr has as links, which no package brings. */
  private static final List<String> MERGED =
      List.of("bin", "sbin", "lib", "lib32", "lib64", "libx32");

  private final TarArchiveOutputStream out;
  private final StringBuilder status = new StringBuilder();
  private final StringBuilder preinsts = new StringBuilder();
  private final Map<String, StringBuilder> triggers = new TreeMap<>();

  /** Begins the archive. */
  RootArchive(OutputStream stream) throws IOException {
    out = new TarArchiveOutputStream(stream, "UTF-8");
    out.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
    out.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
    for (String name : MERGED) {
      directory("./usr/" + name + "/");
      TarArchiveEntry link = new TarArchiveEntry("./" + name, TarConstants.LF_SYMLINK);
      link.setLinkName("usr/" + name);
      out.putArchiveEntry(link);
      out.closeArchiveEntry();
    }
    for (String name : List.of("dev", "proc", "sys", "run")) {
      directory("./" + name + "/");
    }
  }

  private void directory(String name) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_DIR);
    entry.setMode(0755);
    out.putArchiveEntry(entry);
    out.closeArchiveEntry();
  }

  /** Adds a file of our own. */
  void file(String name, int mode, byte[] content) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(name, TarConstants.LF_NORMAL);
    entry.setMode(mode);
    entry.setSize(content.length);
    out.putArchiveEntry(entry);
    out.write(content);
    out.closeArchiveEntry();
  }

  /** Adds a package. */
  void add(Path deb, Progress progress) {
    progress.update("unpacking " + deb.getFileName(), 0, -1);
    try {
      Map<String, byte[]> control = control(deb);
      String text = text(control, "control").strip();
      String name = field(text, "Package");
      boolean coInstallable = field(text, "Multi-Arch").equals("same");
      String called = coInstallable ? name + ':' + field(text, "Architecture") : name;
      for (Map.Entry<String, byte[]> each : control.entrySet()) {
        if (!each.getKey().equals("control")) {
          int mode = SCRIPTS.contains(each.getKey()) ? 0755 : 0644;
          file(DATABASE + "info/" + called + '.' + each.getKey(), mode, each.getValue());
        }
      }
      if (control.containsKey("preinst")) {
        preinsts.append(name).append(' ').append(called).append('\n');
      }
      interests(called, text(control, "triggers"));
      Map<String, String> conffiles = new LinkedHashMap<>();
      for (String line : text(control, "conffiles").lines().toList()) {
        if (line.startsWith("/")) {
          conffiles.put(line.strip(), "newconffile");
        }
      }
      String list = data(deb, conffiles);
      file(DATABASE + "info/" + called + ".list", 0644, list.getBytes(StandardCharsets.UTF_8));
      stanza(text, conffiles);
    } catch (IOException e) {
      throw new ImageException(
          deb.getFileName() + ": cannot be unpacked (" + e.getMessage() + "); start again", e);
    }
  }

  private void stanza(String control, Map<String, String> conffiles) {
    int end = control.indexOf('\n');
    status.append(control, 0, end).append("\nStatus: install ok unpacked");
    status.append(control, end, control.length()).append('\n');
    if (!conffiles.isEmpty()) {
      status.append("Conffiles:\n");
      conffiles.forEach(
          (file, md5) -> status.append(' ').append(file).append(' ').append(md5).append('\n'));
    }
    status.append('\n');
  }

  /** What a package wants to be told of (deb-triggers(5)), as dpkg keeps it. */
  private void interests(String called, String text) {
    for (String line : text.lines().toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length != 2 || !words[0].startsWith("interest")) {
        continue;
      }
      String who = called + (words[0].equals("interest-noawait") ? "/noawait" : "");
      boolean path = words[1].startsWith("/");
      triggers
          .computeIfAbsent(path ? "File" : words[1], key -> new StringBuilder())
          .append(path ? words[1] + " " : "")
          .append(who)
          .append('\n');
    }
  }

  private static Map<String, byte[]> control(Path deb) throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (TarArchiveInputStream in =
        new TarArchiveInputStream(DebPackage.controlTar(deb), "UTF-8")) {
      for (TarArchiveEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
        String name = e.getName().startsWith("./") ? e.getName().substring(2) : e.getName();
        if (e.isFile() && name.matches("[a-z0-9]+")) {
          byte[] content = in.readNBytes(MAX_CONTROL_BYTES);
          if (content.length < e.getSize()) {
            throw new IOException("its " + name + " is too large");
          }
          files.put(name, content);
        }
      }
    }
    return files;
  }

  /** Copies a package's files; returns their list and puts in the sums of its configuration. */
  private String data(Path deb, Map<String, String> conffiles) throws IOException {
    StringBuilder list = new StringBuilder();
    Set<String> listed = new HashSet<>();
    try (InputStream raw = DebPackage.dataTar(deb);
        TarArchiveInputStream in = new TarArchiveInputStream(raw, "UTF-8")) {
      for (TarArchiveEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
        String path = e.getName().replaceFirst("^\\.?/*", "/").replaceFirst("/$", "");
        if (listed.add(path)) {
          list.append(path.isEmpty() ? "/." : path).append('\n');
        }
        out.putArchiveEntry(e);
        if (conffiles.containsKey(path)) {
          byte[] content = in.readAllBytes();
          out.write(content);
          conffiles.put(path, md5(content));
        } else if (e.isFile()) {
          in.transferTo(out);
        }
        out.closeArchiveEntry();
      }
    }
    return list.toString();
  }

  /** Writes dpkg's database and ends the archive. */
  @Override
  public void close() throws IOException {
    try (out) {
      file(DATABASE + "status", 0644, status.toString().getBytes(StandardCharsets.UTF_8));
      file(DATABASE + "available", 0644, new byte[0]);
      file(DATABASE + "info/format", 0644, new byte[] {'1', '\n'});
      for (Map.Entry<String, StringBuilder> each : triggers.entrySet()) {
        byte[] lines = each.getValue().toString().getBytes(StandardCharsets.UTF_8);
        file(DATABASE + "triggers/" + each.getKey(), 0644, lines);
      }
      byte[] lines = preinsts.toString().getBytes(StandardCharsets.UTF_8);
      file("./parhelion/preinsts", 0644, lines);
      out.finish();
    }
  }

  private static String text(Map<String, byte[]> control, String name) {
    return new String(control.getOrDefault(name, new byte[0]), StandardCharsets.UTF_8);
  }

  private static String field(String control, String key) throws IOException {
    for (String line : control.lines().toList()) {
      if (line.startsWith(key + ": ")) {
        return line.substring(key.length() + 2).strip();
      }
    }
    if (key.equals("Package")) {
      throw new IOException("its control file names no package");
    }
    return "";
  }

  private static String md5(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
