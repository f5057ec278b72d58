package parhelion.testkit.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import parhelion.process.Kernel;
import parhelion.process.Options;
import parhelion.process.file.Devices;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.Progress;

/**
 * Debian's static busybox, run by Parhelion and by the host in the same directory: what they print
 * and how they end must be the same, byte for byte.
 */
@EnabledIf("isNative")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class BusyboxTest {
  /** Command lines for {@code sh -c}, a file each time as {@link #makeFiles} makes them. */
  private static final String[] SCRIPTS = {
    "echo hello",
    "cat text",
    "cat text | sort -k3n | head -20",
    "sort -rn -k3 text | tail -20; sort -u words; sort -t: -k2 -r words",
    "sha256sum text data; sha1sum data; md5sum text; sha512sum text; sum data",
    "gzip -c data | gunzip -c | cmp - data && echo same",
    "gzip -9 -c text | sha256sum",
    "bzip2 -c text | bunzip2 -c | sha256sum",
    "xz -dc < text.xz 2>&1; echo $?",
    "awk '{s += $3} END {print s, s / NR; printf \"%.3f %e %g %d\\n\", s / 7, s, s / 1e10, s}' text",
    "awk 'BEGIN {for (i = 0; i < 20; i++) printf \"%.6f %.3g\\n\", sin(i), exp(i) / 3; print sqrt(2), atan2(1, 2), log(10), int(-3.7)}'",
    "awk -F: '{a[$2]++} END {for (k in a) print k, a[k]}' words | sort",
    "awk 'length($0) > 9 {print toupper(substr($0, 2, 5)); gsub(/e/, \"E\"); print}' text | head",
    "tar cf - dir text | tar tvf -",
    "tar czf x.tgz dir words && mkdir -p x && tar xzf x.tgz -C x && find x | sort && cat x/words && rm -r x x.tgz",
    "find . -name '*e*' | sort; find dir -type l; find . -size +100k; find dir -exec echo got {} \\;",
    "ls -l dir; ls -la dir; ls -R dir; ls -1 | wc -l",
    "stat -c '%n %s %a %h %F %u' text dir dir/link; du -k data; wc text words",
    "sed -e 's/line \\([0-9]*\\)/<\\1>/' -e '5,10d' text; sed -n '$=;/7$/p' text; sed 'N;s/\\n/+/' words",
    "grep -c 7 text; grep -n '9[0-9]$' text; grep -v line text; grep -E '(1|2)00' text; grep -o '[0-9]*$' text | head -3",
    "printf '%5.2f|%x|%s|%-8d|%+e|%c\\n' 3.14159 255 abc 42 12345.678 z",
    "for x in 1.5 2.25 1e300 -0.1 1e-310; do printf '%f %g %a\\n' $x $x $x 2>&1; done | head -20",
    "echo 'scale=30; 4 * a(1); e(1); sqrt(2); 2 ^ 200' | bc -l",
    "dc -e '10 k 2 v p 2 100 ^ p 1 3 / p'",
    "i=0; while [ $i -lt 300 ]; do i=$((i + 1)); s=$s.; done; echo ${#s} $((i * i % 17))",
    "f() { [ $1 -lt 2 ] && echo $1 || echo $(($(f $(($1 - 1))) + $(f $(($1 - 2))))); }; f 7",
    "(exit 3); echo $?; false || echo or; true && echo and; ! true; echo $?",
    "cat nosuch; echo $?; cd nosuch; echo $?; ./text; echo $?; nosuchcommand; echo $?",
    "trap 'echo got usr1' USR1; kill -USR1 $$; trap 'echo bye' EXIT; echo here",
    "sleep 5 & kill $!; wait $!; echo $?",
    "(echo a; sleep 0.05; echo b) | while read x; do echo \"<$x>\"; done",
    "yes | head -2000 | wc -l; seq 1 50 | paste -s -d+ - | bc",
    "cat <<END\nhere $((1 + 2)) `echo nested`\nEND",
    "mkdir -p a/b/c && touch a/b/f && mv a/b/f a/g && ln -s g a/l && cp -a a z && find a z | sort && rm -r a z",
    "echo x > new; echo y >> new; cat new; chmod 600 new; ls -l new | cut -c1-10; ln new hard; stat -c %h hard; rm new hard",
    "umask 077; mkdir private; stat -c %a private; rmdir private; touch -d '2001-02-03 04:05:06' old; stat -c %y old; rm old",
    "dd if=data of=part bs=1000 skip=3 count=7 2>&1 | head -2; sha1sum part; truncate -s 100 part; wc -c part; rm part",
    "od -An -tx1 -N64 data; hexdump -C data | head -4; xxd data | tail -2; base64 words; strings data | head -3",
    "tr a-z A-Z < words | cut -d: -f1 | uniq -c | nl | rev | tac | fold -w 12",
    "diff words text | head -5; cmp words text; comm words words; expr 6 \\* 7; factor 123456789 1000003",
    "date -u -d @1000000000; cal 9 1752; basename /a/b.c .c; dirname /a/b.c; realpath dir/link; readlink dir/link; pwd",
    "find . -type f | sort | xargs -n 2 echo; echo 'a b c' | xargs -n 1 echo item; env | sort; id -u",
    "kill -9 $$",
    "exit 42",
    "cpio -o -H newc < names 2>/dev/null | cpio -t 2>/dev/null; uuencode words words | uudecode -o - ; crc32 data",
    "mkfifo p 2>/dev/null; rm -f p; test -d dir && test ! -f dir && [ text -nt words -o text -ot words -o 1 ] && echo yes",
  };

  @TempDir private static Path directory;
  private static Path busybox;

  /** PATH leads to the same busybox under other names, and to nothing of the host's. */
  private static List<String> environment = List.of();

  static boolean isNative() {
    return System.getProperty("os.arch", "").equals("amd64")
        && System.getProperty("os.name", "").equals("Linux");
  }

  static Stream<String> scripts() {
    return Stream.of(SCRIPTS);
  }

  @BeforeAll
  static void makeFiles() throws IOException {
    Path bin = Files.createDirectory(directory.resolve("bin"));
    busybox = bin.resolve("busybox");
    environment = List.of("PATH=" + bin, "LC_ALL=C");
    try {
      Files.copy(
          PackageCache.ofUser(Progress.NONE).busybox(),
          busybox,
          StandardCopyOption.COPY_ATTRIBUTES);
      for (String name : List.of("gzip", "gunzip", "sort", "sh")) {
        Files.createSymbolicLink(bin.resolve(name), Path.of("busybox"));
      }
    } catch (ImageException e) {
      Assumptions.abort("no busybox-static: " + e.getMessage());
    }
    StringBuilder text = new StringBuilder();
    for (int i = 1; i <= 500; i++) {
      text.append("line ").append(i).append(' ').append(i * 7919 % 1000).append('\n');
    }
    Files.writeString(directory.resolve("text"), text);
    Files.writeString(directory.resolve("words"), "one:x\ntwo:y\nthree:x\nfour:z\none:x\n");
    Files.writeString(directory.resolve("names"), "words\ndir\ndir/file\n");
    Files.write(directory.resolve("data"), data(1 << 20));
    Files.write(directory.resolve("text.xz"), new byte[] {1, 2, 3});
    Files.createDirectories(directory.resolve("dir/sub"));
    Files.writeString(directory.resolve("dir/file"), "content\n");
    Files.createSymbolicLink(directory.resolve("dir/link"), Path.of("../text"));
  }

  /** A megabyte of which half can be compressed. */
  private static byte[] data(int bytes) {
    Random random = new Random(3);
    byte[] data = new byte[bytes];
    for (int at = 0; at < bytes; at += 64) {
      byte[] chunk = new byte[32];
      random.nextBytes(chunk);
      System.arraycopy(chunk, 0, data, at, 32);
      int value = random.nextInt(4) + 'a';
      java.util.Arrays.fill(data, at + 32, at + 64, (byte) value);
    }
    return data;
  }

  private record Result(int status, String out, String err) {}

  @ParameterizedTest
  @MethodSource("scripts")
  void printsWhatItPrintsNatively(String script) throws Exception {
    Result expected = natively(script);
    Result actual = emulated(script);
    assertEquals(expected, actual);
  }

  private static Result natively(String script) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(busybox.toString(), "sh", "-c", script);
    builder.directory(directory.toFile());
    builder.environment().clear();
    for (String each : environment) {
      int equals = each.indexOf('=');
      builder.environment().put(each.substring(0, equals), each.substring(equals + 1));
    }
    Path out = directory.resolveSibling(directory.getFileName() + ".out");
    Path err = directory.resolveSibling(directory.getFileName() + ".err");
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.redirectOutput(out.toFile()).redirectError(err.toFile());
    int status = builder.start().waitFor();
    Result result =
        new Result(status, latin(Files.readAllBytes(out)), latin(Files.readAllBytes(err)));
    Files.delete(out);
    Files.delete(err);
    return result;
  }

  private static String latin(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static Result emulated(String script) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    List<String> messages = Collections.synchronizedList(new ArrayList<>());
    String home = directory.toString();
    Options options =
        new Options(
            256 << 20,
            null,
            false,
            List.of(
                new Options.Bind(home, home, true),
                new Options.Bind("/etc/passwd", "/etc/passwd", false),
                new Options.Bind("/etc/group", "/etc/group", false)),
            busybox.toString(),
            home,
            List.of(Devices.nullDevice(), Devices.sink(out), Devices.sink(err)),
            null,
            messages::add,
            60_000_000_000L);
    int status;
    try (Kernel kernel = new Kernel(options)) {
      status =
          kernel.run(
              Kernel.programPath(busybox.toString()),
              List.of(busybox.toString(), "sh", "-c", script),
              environment);
    }
    assertEquals(List.of(), messages);
    return new Result(status, latin(out.toByteArray()), latin(err.toByteArray()));
  }
}
