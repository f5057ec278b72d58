package parhelion.cpu.rewrite;

import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.memory.MachineMemory;
import parhelion.cpu.rewrite.Templates.Template;

/**
 * Generated code in a file, from one process to the next: who boots a kernel again finds what was
 * written for it last time. The file belongs to one build of this program, which names it by the
 * property {@code parhelion.code.store}, and to one kind of host processor. Whatever is wrong with
 * it, it is taken for empty.
 *
 * <pre>
 *   header   magic, host, where the index begins, number of records: 8 bytes each
 *   records  checksum (4), length (4), address, mode, granules (8 each), eleven ints of shape and counts, padding,
 *            then the guest's bytes, sites, relocations, code; a multiple of 8 in all
 *   index    for each record: hash of address and mode, offset (8 each); then a checksum (8)
 * </pre>
 *
 * <p>What is new goes to a file beside it, which takes its place in the end if there is enough of
 * it. Any thread.
 */
final class CodeStore {
  /** Names the file; without it nothing is kept. */
  static final String PROPERTY = "parhelion.code.store";

  private static final long MAGIC = 0x3165646f63_6870L;
  private static final int HEADER_BYTES = 32;
  private static final int RECORD_HEADER_BYTES = 80;
  private static final long MAX_BYTES = 128L << 20;

  /**
   * Fewer new records than this, and than a twentieth of the old ones, are not worth a new file.
   */
  private static final int WORTH_SAVING = 500;

  private static final @Nullable CodeStore SHARED = named();

  private final Path file;
  private final ByteBuffer old;

  /** Of the old records: hash and offset in turn, sorted by hash. */
  private final long[] index;

  private final CRC32C crc = new CRC32C();
  private final ByteBuffer buffer = direct(1 << 20);
  private @Nullable FileChannel added;
  private @Nullable Path addedFile;
  private long[] addedIndex = new long[1024];
  private int addedCount;
  private long addedBytes;
  private boolean failed;

  private CodeStore(Path file, ByteBuffer old, long[] index) {
    this.file = file;
    this.old = old;
    this.index = index;
  }

  private static @Nullable CodeStore named() {
    String name = System.getProperty(PROPERTY, "");
    return name.isEmpty() ? null : open(Path.of(name));
  }

  /** The process's store, or null if it has none. */
  static @Nullable CodeStore shared() {
    return SHARED;
  }

  /** The store in a file, empty if there is none that can be used. */
  static CodeStore open(Path file) {
    try (FileChannel channel = FileChannel.open(file, READ)) {
      if (channel.size() <= MAX_BYTES + (MAX_BYTES >> 3)) {
        ByteBuffer all =
            channel
                .map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
                .order(ByteOrder.nativeOrder());
        long[] index = index(all);
        if (index != null) {
          return new CodeStore(file, all, index);
        }
      }
    } catch (IOException e) {
      // As if there were none.
    }
    return new CodeStore(file, direct(0), new long[0]);
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  /** The index of a file that is whole and made for this host, or null. */
  private static long @Nullable [] index(ByteBuffer all) {
    if (all.capacity() < HEADER_BYTES || all.getLong(0) != MAGIC || all.getLong(8) != host()) {
      return null;
    }
    long at = all.getLong(16);
    long count = all.getLong(24);
    if (count < 0
        || count > Integer.MAX_VALUE / 16
        || at < HEADER_BYTES
        || at + count * 16 + 8 != all.capacity()) {
      return null;
    }
    long[] index = new long[(int) count * 2];
    all.slice((int) at, (int) count * 16).order(ByteOrder.nativeOrder()).asLongBuffer().get(index);
    CRC32C sum = new CRC32C();
    sum.update(all.slice((int) at, (int) count * 16));
    return sum.getValue() == all.getLong((int) (at + count * 16)) ? index : null;
  }

  private static long host() {
    CRC32C sum = new CRC32C();
    sum.update(HostCpu.description().getBytes(java.nio.charset.StandardCharsets.UTF_8));
    return sum.getValue();
  }

  private static long hash(long va, int mode) {
    return (va * 0x9e37_79b9_7f4a_7c15L ^ mode) * 0xbf58_476d_1ce4_e5b9L;
  }

  // --- what was there ---

  /** Code that was kept for the same bytes at the same address in the same mode, or null. */
  synchronized @Nullable Template find(MachineMemory memory, long pa, long va, int mode) {
    long hash = hash(va, mode);
    for (int i = first(hash); i < index.length && index[i] == hash; i += 2) {
      Template template = read(memory, pa, va, mode, index[i + 1]);
      if (template != null) {
        return template;
      }
    }
    return null;
  }

  /** Position in the index of the first record with a hash, or of what comes behind. */
  private int first(long hash) {
    int low = 0;
    int high = index.length / 2;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (index[middle * 2] < hash) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low * 2;
  }

  private @Nullable Template read(MachineMemory memory, long pa, long va, int mode, long offset) {
    if (offset < HEADER_BYTES || offset > old.capacity() - RECORD_HEADER_BYTES) {
      return null;
    }
    int at = (int) offset;
    int length = old.getInt(at + 4);
    if (length < RECORD_HEADER_BYTES || length > old.capacity() - at) {
      return null;
    }
    ByteBuffer r = old.slice(at, length).order(ByteOrder.nativeOrder());
    if (r.getLong(8) != va || r.getLong(16) != mode) {
      return null;
    }
    long granules = r.getLong(24);
    int position = RECORD_HEADER_BYTES;
    for (long left = granules; left != 0; left &= left - 1) {
      long from = (pa & -4096L) + Long.numberOfTrailingZeros(left) * 64L;
      for (int i = 0; i < 64; i += 8, position += 8) {
        if (position + 8 > length || r.getLong(position) != memory.getLong(from + i)) {
          return null;
        }
      }
    }
    crc.reset();
    crc.update(r.slice(4, length - 4));
    return (int) crc.getValue() == r.getInt(0) ? parse(r, position) : null;
  }

  /** A record whose checksum is right. */
  private static Template parse(ByteBuffer r, int guestEnd) {
    int[] ints = new int[11];
    r.slice(32, 44).order(ByteOrder.nativeOrder()).asIntBuffer().get(ints);
    int[] sites = new int[ints[7]];
    int[] relocations = new int[ints[8]];
    byte[] code = new byte[ints[5]];
    r.position(guestEnd);
    for (int[] to : new int[][] {sites, relocations}) {
      r.asIntBuffer().get(to);
      r.position(r.position() + 4 * to.length);
    }
    r.get(code);
    Region.Shape shape =
        new Region.Shape(ints[0], ints[1], ints[2], ints[3], ints[4], ints[5], ints[6], sites);
    return new Template(r.getLong(24), new long[0], code, relocations, shape);
  }

  // --- what is new ---

  /** Records that were there when it was opened, whether they are right or not. */
  int size() {
    return index.length / 2;
  }

  /** Keeps what was just written. */
  synchronized void add(long va, int mode, Template template) {
    int[] sites = template.shape().sites();
    int length =
        RECORD_HEADER_BYTES
            + 8 * template.guest().length
            + 4 * (sites.length + template.relocations().length)
            + template.code().length;
    length = (length + 7) & -8;
    if (failed || length > buffer.capacity() || addedBytes + length > MAX_BYTES) {
      return;
    }
    if (buffer.remaining() < length) {
      flush();
    }
    ByteBuffer r = buffer.slice(buffer.position(), length).order(ByteOrder.nativeOrder());
    r.putInt(4, length).putLong(8, va).putLong(16, mode).putLong(24, template.granules());
    Region.Shape s = template.shape();
    int[] ints = {
      s.checked(),
      s.deadUnchecked(),
      s.deadChecked(),
      s.live(),
      s.lengthBytes(),
      s.hostBytes(),
      s.instructions(),
      sites.length,
      template.relocations().length,
      0,
      0
    };
    r.slice(32, 44).order(ByteOrder.nativeOrder()).asIntBuffer().put(ints);
    r.putInt(76, 0);
    r.position(RECORD_HEADER_BYTES);
    r.asLongBuffer().put(template.guest());
    r.position(r.position() + 8 * template.guest().length);
    r.asIntBuffer().put(sites).put(template.relocations());
    r.position(r.position() + 4 * (sites.length + template.relocations().length));
    r.put(template.code());
    while (r.hasRemaining()) {
      r.put((byte) 0);
    }
    crc.reset();
    crc.update(r.slice(4, length - 4));
    r.putInt(0, (int) crc.getValue());
    buffer.position(buffer.position() + length);
    if (2 * addedCount == addedIndex.length) {
      addedIndex = Arrays.copyOf(addedIndex, addedIndex.length * 2);
    }
    addedIndex[2 * addedCount] = hash(va, mode);
    addedIndex[2 * addedCount + 1] = addedBytes;
    addedCount++;
    addedBytes += length;
  }

  private void flush() {
    try {
      FileChannel channel = added;
      if (channel == null) {
        Path beside = file.resolveSibling(file.getFileName() + "." + ProcessHandle.current().pid());
        deleteAbandoned();
        channel = FileChannel.open(beside, READ, WRITE, CREATE_NEW);
        beside.toFile().deleteOnExit(); // unless it has become the file
        addedFile = beside;
        added = channel;
        write(channel, direct(HEADER_BYTES));
      }
      buffer.flip();
      write(channel, buffer);
      buffer.clear();
    } catch (IOException e) {
      abandon();
    }
  }

  /** What killed processes left beside the file, and a process that had this one's number. */
  private void deleteAbandoned() throws IOException {
    String prefix = file.getFileName() + ".";
    Path directory = file.toAbsolutePath().getParent();
    try (DirectoryStream<Path> beside = Files.newDirectoryStream(directory, prefix + "*")) {
      for (Path path : beside) {
        String owner = path.getFileName().toString().substring(prefix.length());
        if (owner.matches("[0-9]{1,10}") && !isRunning(Long.parseLong(owner))) {
          Files.deleteIfExists(path);
        }
      }
    }
  }

  private static boolean isRunning(long pid) {
    return pid != ProcessHandle.current().pid() && ProcessHandle.of(pid).isPresent();
  }

  private static void write(FileChannel channel, ByteBuffer from) throws IOException {
    while (from.hasRemaining()) {
      channel.write(from);
    }
  }

  /** Nothing more is kept: the file stays as it was. */
  private void abandon() {
    failed = true;
    buffer.clear();
    FileChannel channel = added;
    Path path = addedFile;
    added = null;
    try {
      if (channel != null) {
        channel.close();
      }
      if (path != null) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      // Whoever cleans up will find it.
    }
  }

  /**
   * Puts old and new records into the file, if that is worth it; what is added afterwards is not
   * kept.
   */
  synchronized void save() {
    save(WORTH_SAVING);
  }

  /** {@link #save} with another idea of what is worth it. */
  synchronized void save(int worth) {
    if (failed || addedCount < Math.max(worth, index.length / 40)) {
      return; // perhaps with what the next guest brings
    }
    flush();
    FileChannel channel = added;
    Path path = addedFile;
    if (channel == null || path == null) {
      return;
    }
    try {
      long oldBytes = index.length == 0 ? 0 : old.getLong(16) - HEADER_BYTES;
      boolean keep = oldBytes + addedBytes <= MAX_BYTES;
      if (keep && oldBytes > 0) {
        write(channel, old.slice(HEADER_BYTES, (int) oldBytes));
      }
      writeIndex(channel, keep);
      channel.close();
      Files.move(path, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      added = null;
      addedFile = null;
      failed = true;
    } catch (IOException e) {
      abandon();
    }
  }

  private void writeIndex(FileChannel channel, boolean withOld) throws IOException {
    int count = addedCount + (withOld ? index.length / 2 : 0);
    long[][] pairs = new long[count][];
    for (int i = 0; i < addedCount; i++) {
      pairs[i] = new long[] {addedIndex[2 * i], HEADER_BYTES + addedIndex[2 * i + 1]};
    }
    for (int i = addedCount; i < count; i++) {
      int j = 2 * (i - addedCount);
      pairs[i] = new long[] {index[j], index[j + 1] + addedBytes};
    }
    Arrays.sort(pairs, (a, b) -> Long.compare(a[0], b[0]));
    ByteBuffer out = direct(count * 16 + 8);
    for (long[] pair : pairs) {
      out.putLong(pair[0]).putLong(pair[1]);
    }
    CRC32C sum = new CRC32C();
    sum.update(out.slice(0, count * 16));
    out.putLong(sum.getValue()).flip();
    long at = channel.position();
    write(channel, out);
    ByteBuffer header = direct(HEADER_BYTES);
    header.putLong(MAGIC).putLong(host()).putLong(at).putLong(count).flip();
    channel.position(0);
    write(channel, header);
  }
}
