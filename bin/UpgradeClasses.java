import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Brings the classes of the jars that are named up to a class file version that the AOT cache
 * takes.
 *
 * <p>The JVM caches no class older than version 50, because those are checked by the old verifier.
 * picocli's are (49). A launch of {@code --version} took 160 ms without a cache, 124 ms with one
 * that lacks picocli, and takes 97 ms after this (minimum of 40, 2026-11-21). The upgrade adds the
 * stack maps that newer class files must have and changes no instruction. Jars without old classes
 * stay as they are.
 */
class UpgradeClasses {
  private static final int OLDEST_CACHED_VERSION = 50;
  private static final int NEW_VERSION = 52;

  public static void main(String[] jars) throws IOException {
    for (String jar : jars) {
      upgrade(Path.of(jar));
    }
  }

  private static void upgrade(Path jar) throws IOException {
    Map<String, byte[]> entries = read(jar);
    URL url = jar.toUri().toURL();
    int upgraded = 0;
    try (URLClassLoader loader = new URLClassLoader(new URL[] {url})) {
      ClassFile classFile =
          ClassFile.of(
              StackMapsOption.GENERATE_STACK_MAPS,
              ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(loader)));
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        byte[] bytes = entry.getValue();
        if (entry.getKey().endsWith(".class") && version(bytes) < OLDEST_CACHED_VERSION) {
          entry.setValue(upgrade(classFile, bytes));
          upgraded++;
        }
      }
    }
    if (upgraded > 0) {
      write(jar, entries);
      System.out.println(jar.getFileName() + ": " + upgraded + " classes upgraded");
    }
  }

  private static byte[] upgrade(ClassFile classFile, byte[] bytes) {
    ClassModel model = classFile.parse(bytes);
    // Passing each element on, and not the method as a whole, makes the stack maps.
    ClassTransform rebuild =
        ClassTransform.transformingMethodBodies((code, element) -> code.with(element));
    return classFile.transformClass(
        model, rebuild.andThen(ClassTransform.endHandler(c -> c.withVersion(NEW_VERSION, 0))));
  }

  private static int version(byte[] bytes) {
    return bytes.length < 8 ? NEW_VERSION : (bytes[6] & 0xFF) << 8 | bytes[7] & 0xFF;
  }

  private static Map<String, byte[]> read(Path jar) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      Enumeration<? extends ZipEntry> all = zip.entries();
      while (all.hasMoreElements()) {
        ZipEntry entry = all.nextElement();
        try (var in = zip.getInputStream(entry)) {
          entries.put(entry.getName(), in.readAllBytes());
        }
      }
    }
    return entries;
  }

  private static void write(Path jar, Map<String, byte[]> entries) throws IOException {
    Path whole = jar.resolveSibling(jar.getFileName() + ".new");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(whole))) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        out.putNextEntry(new ZipEntry(entry.getKey()));
        out.write(entry.getValue());
        out.closeEntry();
      }
    }
    Files.move(whole, jar, StandardCopyOption.REPLACE_EXISTING);
  }
}
