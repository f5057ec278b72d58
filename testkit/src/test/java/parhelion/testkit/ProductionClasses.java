package parhelion.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Every compiled class of the shipped modules, found where the class loader finds the module's
 * package-info: a directory when only classes are compiled, a jar when the whole build runs.
 */
final class ProductionClasses {
  /** The shipped modules, lowest first. testkit and bench are not shipped. */
  static final List<String> MODULES =
      List.of(
          "abi",
          "host",
          "cpu",
          "xen",
          "media",
          "pc",
          "backends",
          "process",
          "toolstack",
          "lab",
          "app");

  /** One class file: where it was found and its bytes. */
  record ClassBytes(String module, String path, byte[] bytes) {}

  private ProductionClasses() {}

  /** All class files of a module, at least its package-info; fails when there are none. */
  static List<ClassBytes> of(String module) {
    String anchor = "parhelion/" + module + "/package-info.class";
    URL url = ProductionClasses.class.getClassLoader().getResource(anchor);
    if (url == null) {
      throw new IllegalStateException("module " + module + " is not on the class path");
    }
    try {
      URLConnection connection = url.openConnection();
      if (connection instanceof JarURLConnection jar) {
        Path file = Path.of(jar.getJarFileURL().toURI());
        try (FileSystem zip = FileSystems.newFileSystem(file)) {
          return read(module, zip.getPath("/"));
        }
      }
      Path packageInfo = Path.of(new URI(url.toString()));
      return read(module, packageInfo.getParent().getParent().getParent());
    } catch (IOException | URISyntaxException e) {
      throw new IllegalStateException("cannot read the classes of " + module + " at " + url, e);
    }
  }

  /** All class files of all shipped modules. */
  static List<ClassBytes> all() {
    List<ClassBytes> all = new ArrayList<>();
    for (String module : MODULES) {
      all.addAll(of(module));
    }
    return all;
  }

  private static List<ClassBytes> read(String module, Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(file -> file.toString().endsWith(".class"))
          .map(file -> new ClassBytes(module, root.relativize(file).toString(), bytes(file)))
          .toList();
    }
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
