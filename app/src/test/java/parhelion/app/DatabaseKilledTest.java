package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import parhelion.media.share.HostTree;

/**
 * Debian's PostgreSQL in a guest, on a disk image, under load from the host, in a process that is
 * killed: what it acknowledged is there afterwards.
 */
@Tag("boot")
@Tag("full")
@Timeout(value = 60, unit = TimeUnit.MINUTES)
final class DatabaseKilledTest {
  /** What the packages' scripts would have done, a data base where there is none, the server. */
  private static final String SERVE =
      """
      set -e
      for list in passwd group; do cp /usr/share/base-passwd/$list.master /etc/$list; done
      echo postgres:x:105:110::/data:/bin/sh >>/etc/passwd
      echo postgres:x:110: >>/etc/group
      [ -e /bin/sh ] || ln -s bash /bin/sh
      mkdir -p /data
      blkid /dev/xvda >/dev/null || mkfs.ext4 -q /dev/xvda
      mount -t ext4 /dev/xvda /data
      PATH=/usr/lib/postgresql/15/bin:$PATH
      as='setpriv --reuid=105 --regid=110 --clear-groups'
      if [ ! -e /data/made ]; then
        rm -rf /data/db
        install -d -o 105 -g 110 /data/db
        $as initdb -D /data/db -A trust -E UTF8 --locale=C
        echo 'host all all all trust' >>/data/db/pg_hba.conf
        sync
        touch /data/made
      fi
      $as postgres -D /data/db -k /tmp -h '*'
      umount /data
      """;

  private static final List<String> PACKAGES =
      List.of(
          "postgresql-15",
          "bash",
          "coreutils",
          "util-linux",
          "mount",
          "e2fsprogs",
          "base-files",
          "base-passwd");

  private static final int WRITERS = 4;
  private static final int KILLS = 2;

  @TempDir Path directory;

  /** The last number of each writer whose commit was acknowledged. */
  private final AtomicIntegerArray acknowledged = new AtomicIntegerArray(WRITERS);

  private NamedGuest start(DebianTree tree, Path image) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("--rootfs", tree.root().toString()));
    arguments.addAll(List.of("--disk", image + ",format=raw", "--memory", "384M"));
    arguments.addAll(List.of("-p", "0:5432", "--cmd", SERVE));
    return new NamedGuest(directory, "database", arguments);
  }

  private static PostgresClient connect(NamedGuest guest) throws Exception {
    int port = guest.port();
    return guest.first(() -> new PostgresClient(port, "postgres", "postgres"));
  }

  @Test
  void noAcknowledgedTransactionIsMissingAfterAKill() throws Exception {
    Assumptions.assumeTrue(HostTree.isAvailable(), "no directories can be shared on this host");
    DebianTree tree = DebianTree.of(PACKAGES);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    Path image = directory.resolve("data.img");
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      file.setLength(1L << 30);
    }
    Random random = new Random(Long.getLong("parhelion.seed", 1));
    for (int kill = 0; kill < KILLS; kill++) {
      try (NamedGuest guest = start(tree, image);
          PostgresClient client = connect(guest)) {
        if (kill == 0) {
          client.query("CREATE TABLE log (writer int, number int, PRIMARY KEY (writer, number))");
          assertEquals(0, pgbench(tree, guest, "init", "-i", "-q").waitFor(), words("init"));
          assertEquals(100_000, client.number("SELECT count(*) FROM pgbench_accounts"));
        } else {
          look(guest, client);
        }
        loadUntilKilled(tree, guest, 100 + random.nextInt(200));
      }
    }
    try (NamedGuest guest = start(tree, image);
        PostgresClient client = connect(guest)) {
      look(guest, client);
      assertEquals(0, guest.execIn("sh", "-c", "kill -INT $(head -n 1 /data/db/postmaster.pid)"));
      assertEquals(0, guest.end(), guest.text());
    }
  }

  /** Compares what is there with what was acknowledged. */
  private void look(NamedGuest guest, PostgresClient client) throws IOException {
    assertTrue(guest.text().contains("automatic recovery in progress"), guest.text());
    for (int writer = 0; writer < WRITERS; writer++) {
      int last = acknowledged.get(writer);
      assertTrue(last > 0);
      String where = " FROM log WHERE writer = " + writer;
      long found = client.number("SELECT count(*)" + where + " AND number BETWEEN 1 AND " + last);
      assertEquals(last, found, "of writer " + writer);
      long most = client.number("SELECT max(number)" + where);
      assertTrue(most == last || most == last + 1, most + " and not " + last);
      acknowledged.set(writer, (int) most); // one may be there that was not acknowledged
    }
    String sums =
        "SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(bbalance) FROM"
            + " pgbench_branches), (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT sum(delta)"
            + " FROM pgbench_history)";
    List<String> row = client.query(sums).getFirst();
    assertTrue(!row.getFirst().isEmpty(), "pgbench has written");
    assertEquals(1, row.stream().distinct().count(), "whole transactions only: " + row);
  }

  /** The load is pgbench's and writers' of numbers; returns when the process is gone. */
  private void loadUntilKilled(DebianTree tree, NamedGuest guest, int transactions)
      throws Exception {
    int port = guest.port();
    int before = sum();
    Process pgbench = pgbench(tree, guest, "load", "-c", "4", "-T", "3600", "-n");
    List<Thread> writers = new ArrayList<>();
    try {
      for (int i = 0; i < WRITERS; i++) {
        int writer = i;
        writers.add(Thread.ofVirtual().start(() -> write(port, writer)));
      }
      try (PostgresClient client = connect(guest)) {
        while (sum() < before + transactions
            || client.number("SELECT count(*) FROM pgbench_history") < transactions) {
          assertTrue(pgbench.isAlive(), () -> words("load"));
          assertTrue(writers.stream().allMatch(Thread::isAlive), "a writer has ended");
          Thread.sleep(50);
        }
      }
      guest.kill();
      for (Thread writer : writers) {
        assertTrue(writer.join(Duration.ofMinutes(5)), "a writer hangs");
      }
    } finally {
      pgbench.destroyForcibly();
    }
  }

  private int sum() {
    int sum = 0;
    for (int i = 0; i < WRITERS; i++) {
      sum += acknowledged.get(i);
    }
    return sum;
  }

  /** Commits numbers, one by one, until the server is gone. */
  private void write(int port, int writer) {
    try (PostgresClient client = new PostgresClient(port, "postgres", "postgres")) {
      while (true) {
        int next = acknowledged.get(writer) + 1;
        client.query("INSERT INTO log VALUES (%d, %d)".formatted(writer, next));
        acknowledged.set(writer, next);
      }
    } catch (IOException e) {
      // The end: the caller looks whether it came too early.
    }
  }

  private Process pgbench(DebianTree tree, NamedGuest guest, String log, String... words)
      throws Exception {
    List<String> arguments =
        new ArrayList<>(List.of("-h", "127.0.0.1", "-p", "" + guest.port(), "-U", "postgres"));
    arguments.addAll(List.of(words));
    arguments.add("postgres");
    return tree.program("usr/lib/postgresql/15/bin/pgbench", arguments)
        .redirectOutput(directory.resolve(log).toFile())
        .start();
  }

  private String words(String log) {
    try {
      return Files.readString(directory.resolve(log));
    } catch (IOException e) {
      return e.toString();
    }
  }
}
