package parhelion.toolstack.device;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import parhelion.media.rootfs.ImageConfig;
import parhelion.media.rootfs.RootFileSystem;
import parhelion.media.rootfs.RootLookup;

/**
 * What is run in a root file system, and as whom: by the user's word, the image's, or what is
 * there.
 *
 * @param argv the program's absolute path and its arguments
 * @param isInit whether it is to be the first process
 * @param owner UID:GID, or empty for root
 */
record RootProgram(
    List<String> argv,
    boolean isInit,
    Map<String, String> environment,
    String owner,
    String directory) {
  private static final int MAX_TEXT_BYTES = 1 << 20;
  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  static RootProgram of(
      RootFileSystem root, @Nullable String command, @Nullable String directoryOrNull)
      throws IOException {
    RootLookup lookup = new RootLookup(root.tree());
    ImageConfig config = root.config();
    Map<String, String> environment = environment(config);
    String directory = directoryOrNull != null ? directoryOrNull : directory(config);
    String owner = owner(config.user(), lookup, environment);
    List<String> argv;
    if (command != null) {
      argv = List.of(shell(lookup, "/bin/sh", "/bin/bash", "/bin/ash"), "-c", command);
    } else if (!config.command().isEmpty()) {
      argv = new ArrayList<>(config.command());
      String path = environment.getOrDefault("PATH", PATH);
      argv.set(0, resolve(argv.getFirst(), path, directory, lookup));
    } else if (lookup.isProgram("/sbin/init")) {
      return new RootProgram(List.of("/sbin/init"), true, environment, "", "/");
    } else {
      argv = List.of(shell(lookup, "/bin/bash", "/bin/sh", "/bin/ash"), "-l");
    }
    return new RootProgram(argv, false, environment, owner, directory);
  }

  /** A program by its absolute path, whoever the image is to be run as. */
  static RootProgram asRoot(RootFileSystem root, List<String> argv) {
    ImageConfig config = root.config();
    return new RootProgram(argv, false, environment(config), "", directory(config));
  }

  private static Map<String, String> environment(ImageConfig config) {
    Map<String, String> environment = new TreeMap<>();
    environment.put("PATH", PATH);
    environment.put("HOME", "/root");
    environment.put("TERM", "linux");
    for (String variable : config.environment()) {
      int equals = variable.indexOf('=');
      if (equals > 0) {
        environment.put(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
    return environment;
  }

  private static String directory(ImageConfig config) {
    return config.directory().startsWith("/") ? config.directory() : "/";
  }

  private static String shell(RootLookup lookup, String... candidates) throws IOException {
    for (String candidate : candidates) {
      if (lookup.isProgram(candidate)) {
        return candidate;
      }
    }
    throw new IOException("it has no shell");
  }

  private static String resolve(String program, String path, String directory, RootLookup lookup)
      throws IOException {
    if (program.startsWith("/")) {
      return program;
    }
    if (program.contains("/")) {
      return directory + '/' + program;
    }
    for (String part : path.split(":", -1)) {
      String candidate = part + '/' + program;
      if (part.startsWith("/") && lookup.isProgram(candidate)) {
        return candidate;
      }
    }
    throw new IOException("it has no program " + program + ", which it is to run");
  }

  /** Numbers for USER[:GROUP], by the root's own lists; sets HOME of a user that has one there. */
  private static String owner(String text, RootLookup lookup, Map<String, String> environment)
      throws IOException {
    if (text.isEmpty()) {
      return "";
    }
    int colon = text.indexOf(':');
    String user = colon < 0 ? text : text.substring(0, colon);
    String uid = user;
    String gid = "0";
    boolean found = false;
    for (String line : lookup.text("/etc/passwd", MAX_TEXT_BYTES).split("\n", -1)) {
      String[] fields = line.split(":", -1);
      if (!found && fields.length >= 6 && (fields[0].equals(user) || fields[2].equals(user))) {
        found = true;
        uid = fields[2];
        gid = fields[3];
        environment.put("HOME", fields[5]);
      }
    }
    if (colon >= 0) {
      gid = text.substring(colon + 1);
      for (String line : lookup.text("/etc/group", MAX_TEXT_BYTES).split("\n", -1)) {
        String[] fields = line.split(":", -1);
        if (fields.length >= 3 && fields[0].equals(gid)) {
          gid = fields[2];
        }
      }
    }
    if (!uid.matches("[0-9]{1,10}") || !gid.matches("[0-9]{1,10}")) {
      throw new IOException("it does not know the user " + text + " that it is to run as");
    }
    return uid.equals("0") && gid.equals("0") ? "" : uid + ':' + gid;
  }

  /**
   * A script for the initramfs's shell that becomes the program, in the root that is mounted at
   * /newroot. Programs go by their absolute paths, as busybox takes a bare name for one of its own.
   */
  String script() {
    StringBuilder script = new StringBuilder("#!/bin/sh\nexec env -i");
    environment.forEach((name, value) -> word(script, name + '=' + value));
    script.append(" chroot /newroot /dev/busybox-parhelion sh -c");
    word(script, "cd \"$1\" || exit 127; shift; exec \"$@\"");
    script.append(" sh");
    word(script, directory);
    if (!owner.isEmpty()) {
      // No pid file: it is not looked whether such a program runs already.
      script.append(" /dev/busybox-parhelion start-stop-daemon -S -p /dev/none -c ").append(owner);
      script.append(" -x");
      word(script, argv.getFirst());
      script.append(" --");
      argv.stream().skip(1).forEach(argument -> word(script, argument));
      return script.append('\n').toString();
    }
    argv.forEach(argument -> word(script, argument));
    return script.append('\n').toString();
  }

  private static void word(StringBuilder script, String word) {
    script.append(" '").append(word.replace("'", "'\\''")).append('\'');
  }
}
