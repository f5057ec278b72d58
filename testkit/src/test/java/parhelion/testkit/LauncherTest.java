package parhelion.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher's scripts in a project of their own, in a directory with a blank in its name, with a
 * java that prints its arguments and a Maven that counts its runs.
 */
@DisabledOnOs(OS.WINDOWS)
final class LauncherTest {
  private static final Path ROOT = Path.of(System.getProperty("parhelion.root", ".."));

  @TempDir private Path temp;
  private Path project;
  private Path source;

  private record Launch(Process process, Path err) {}

  private record Result(int status, String out, String err) {}

  @BeforeEach
  void layOut() throws IOException {
    project = Files.createDirectories(temp.resolve("a project"));
    copy("parhelion");
    copy("bin/find-java.sh");
    copy("bin/launch.sh");
    copy("bin/build.sh");
    copy("bin/UpgradeClasses.java");
    write(project.resolve("pom.xml"), "<project/>");
    write(project.resolve("app/pom.xml"), "<project/>");
    write(project.resolve("testkit/pom.xml"), "<project/>");
    source = write(project.resolve("app/src/main/java/Main.java"), "class Main {}");

    write(temp.resolve("jdk/release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"25.0.1\"\n");
    script("jdk/bin/javac", "exit 1");
    script("jdk/bin/java", "for a in \"$@\"; do printf '[%s]' \"$a\"; done; echo; exit 7");
    maven("exit 0");
  }

  /** A Maven that leaves a jar and then goes on with the lines given. */
  private void maven(String lines) throws IOException {
    script(
        "commands/mvn",
        """
        echo run >> "%s/maven-runs"
        mkdir -p app/target/launch/lib && : > app/target/launch/lib/app-1.jar
        %s
        """
            .formatted(temp, lines));
  }

  private int mavenRuns() throws IOException {
    Path runs = temp.resolve("maven-runs");
    return Files.exists(runs) ? Files.readAllLines(runs).size() : 0;
  }

  @Test
  void theFirstLaunchBuildsAndTheNextDoesNot() throws Exception {
    Result first = launch("run", "two words");
    assertEquals(7, first.status(), first.err());
    assertTrue(first.out().contains("parhelion.jar][run][two words]"), first.out());
    assertTrue(first.err().contains("Building Parhelion (first use)"), first.err());
    Result second = launch("run");
    assertEquals("", second.err());
    assertTrue(second.out().contains("parhelion.jar][run]"), second.out());
    assertEquals(1, mavenRuns());
  }

  @Test
  void aChangedADeletedAndANewSourceAreBuiltButATestIsNot() throws Exception {
    launch();
    write(source, "final class Main {}");
    launch();
    assertEquals(2, mavenRuns());
    Path other = write(source.resolveSibling("Other.java"), "class Other {}");
    launch();
    assertEquals(3, mavenRuns());
    Files.delete(other);
    launch();
    assertEquals(4, mavenRuns());
    write(project.resolve("testkit/src/main/java/Oracle.java"), "class Oracle {}");
    write(project.resolve("app/src/test/java/MainTest.java"), "class MainTest {}");
    launch();
    assertEquals(4, mavenRuns());
  }

  @Test
  void launchesAtOnceBuildOnce() throws Exception {
    maven("sleep 1");
    List<Launch> launches = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      launches.add(start(project.resolve("parhelion"), temp, "n" + i));
    }
    for (int i = 0; i < 3; i++) {
      Result result = result(launches.get(i));
      assertEquals(7, result.status(), result.err());
      assertTrue(result.out().endsWith("[n" + i + "]\n"), result.out());
    }
    assertEquals(1, mavenRuns());
    assertFalse(Files.isSymbolicLink(project.resolve("target/parhelion/lock")));
  }

  @Test
  void aBuildThatWasKilledIsMadeAgain() throws Exception {
    maven("echo half > app/target/launch/lib/other.jar; : > '%s/builds'; sleep 60".formatted(temp));
    Process first = start(project.resolve("parhelion"), temp, "n").process();
    while (!Files.exists(temp.resolve("builds"))) {
      assertTrue(first.isAlive(), "it builds");
      Thread.sleep(20);
    }
    Path state = project.resolve("target/parhelion");
    assertTrue(Files.isSymbolicLink(state.resolve("lock")));
    // Parents first: none of them sees a child of its own die and cleans up.
    List<ProcessHandle> all = new ArrayList<>(List.of(first.toHandle()));
    for (int i = 0; i < all.size(); i++) {
      all.addAll(all.get(i).children().toList());
    }
    all.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle each : all) {
      each.onExit().get(60, TimeUnit.SECONDS);
    }
    assertTrue(Files.isSymbolicLink(state.resolve("lock")), "kill -9 leaves the lock");
    maven("exit 0");
    Result second = launch("again");
    assertEquals(7, second.status(), second.err());
    assertTrue(second.out().endsWith("[again]\n"), second.out());
    assertEquals(2, mavenRuns());
    try (var left = Files.list(state)) {
      List<String> names =
          left.map(p -> p.getFileName().toString().replaceFirst("^g[0-9].*", "generation"))
              .sorted()
              .toList();
      assertEquals(List.of("build.log", "current", "generation"), names);
    }
    try (var jars = Files.walk(state)) {
      assertEquals(0, jars.filter(p -> p.endsWith("other.jar")).count(), "of the first build");
    }
  }

  @Test
  void aLockWhoseOwnerIsDeadIsNoObstacle() throws Exception {
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    Path state = Files.createDirectories(project.resolve("target/parhelion"));
    Files.createSymbolicLink(state.resolve("lock"), Path.of(Long.toString(dead.pid())));
    assertEquals(7, launch().status());
  }

  @Test
  void symbolicLinksLeadToTheProject() throws Exception {
    Path absolute = temp.resolve("absolute");
    Files.createSymbolicLink(absolute, project.resolve("parhelion"));
    Path relative = Files.createDirectories(temp.resolve("links")).resolve("relative");
    Files.createSymbolicLink(relative, Path.of("../absolute"));
    Result result = result(start(relative, temp.resolve("links"), "x"));
    assertEquals(7, result.status(), result.err());
    assertTrue(result.out().contains(project.toRealPath() + "/target/parhelion/"), result.out());
  }

  @Test
  void aFailedBuildIsNamedWithItsLogAndTheNextLaunchTriesAgain() throws Exception {
    maven("echo '[ERROR] /x/Main.java:[1,1] no such thing'; exit 1");
    Result result = launch();
    assertEquals(70, result.status());
    assertEquals("", result.out());
    assertTrue(result.err().contains("/x/Main.java:[1,1] no such thing"), result.err());
    assertTrue(
        result.err().contains("the build failed (log: " + project.toRealPath()), result.err());
    maven("exit 0");
    assertEquals(7, launch().status());
  }

  @Test
  void librariesAreFetchedOnlyIfTheyAreNotThere() throws Exception {
    maven("case \"$*\" in *' -o '*) echo 'Cannot access it in offline mode'; exit 1;; esac");
    assertEquals(7, launch().status());
    assertEquals(2, mavenRuns());
  }

  private Result launch(String... arguments) throws Exception {
    return result(start(project.resolve("parhelion"), temp, arguments));
  }

  private Launch start(Path launcher, Path directory, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().put("JAVA_HOME", temp.resolve("jdk").toString());
    builder.environment().merge("PATH", temp.resolve("commands") + ":", (old, mine) -> mine + old);
    builder.environment().remove("PARHELION_JAVA_OPTS");
    Path err = Files.createTempFile(temp, "err", "");
    return new Launch(builder.redirectError(err.toFile()).start(), err);
  }

  private static Result result(Launch launch) throws Exception {
    Process process = launch.process();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Result(process.exitValue(), out, Files.readString(launch.err()));
  }

  private void copy(String name) throws IOException {
    Path to = project.resolve(name);
    Files.createDirectories(to.getParent());
    Files.copy(ROOT.resolve(name), to, StandardCopyOption.COPY_ATTRIBUTES);
  }

  private void script(String name, String lines) throws IOException {
    Path file = write(temp.resolve(name), "#!/bin/sh\n" + lines + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static Path write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }
}
