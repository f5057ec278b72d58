package parhelion.process;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.CpuState;
import parhelion.process.file.FileStat;
import parhelion.process.file.Node;
import parhelion.process.file.OpenFile;
import parhelion.process.file.Tree;
import parhelion.process.memory.AddressSpace;
import parhelion.process.memory.Backing;

/** execve: loads a program into a new address space and gives the thread to it. */
final class Programs {
  /** Mappings are given out below; the stack's eight megabytes and more are above. */
  static final long MAP_TOP = 0x7fff_f7ff_f000L;

  private static final long PIE_BASE = 0x5555_5555_4000L;
  private static final int MAX_SCRIPTS = 4;
  private static final int SCRIPT_LINE = 256;
  private static final int STACK_BYTES = 132 << 10;

  private Programs() {}

  /** A program file that was found and opened. */
  private record Found(OpenFile file, String path, List<String> arguments) {}

  /**
   * Replaces the program of a task's process. On failure nothing has changed.
   *
   * @param path as given; relative to the process's directory
   */
  static void execute(Task task, String path, List<String> arguments, List<String> environment) {
    Process process = task.process;
    Kernel kernel = task.kernel;
    Found found = find(task, path, arguments, 0);
    AddressSpace space = null;
    boolean done = false;
    try {
      ElfProgram elf = new ElfProgram(found.file);
      space = new AddressSpace(kernel.pool, MAP_TOP);
      long bias = load(kernel, space, found.file, elf, elf.positionIndependent ? PIE_BASE : 0);
      space.brkStart = Math.max(bias + elf.highest(), AddressSpace.BOTTOM);
      space.brk = space.brkStart;
      long entry = bias + elf.entry;
      long interpreterBase = 0;
      String interpreter = elf.interpreter;
      if (interpreter != null) {
        OpenFile file = open(task, interpreter);
        try {
          ElfProgram loader = new ElfProgram(file);
          long room = loader.highest() - loader.lowest();
          long base = loader.positionIndependent ? space.findFree(room, 0) - loader.lowest() : 0;
          interpreterBase = load(kernel, space, file, loader, base);
          entry = interpreterBase + loader.entry;
        } finally {
          file.release();
        }
      }
      ProgramStack stack =
          new ProgramStack(space, STACK_BYTES, elf.executableStack, task.cpu, path);
      long rsp = stack.build(found.arguments, environment, bias, elf, interpreterBase);
      done = true;
      commit(task, space, found, path, elf, bias, entry, rsp);
    } finally {
      if (!done) {
        found.file.release();
        if (space != null) {
          space.release();
        }
      }
    }
    process.name = path.substring(path.lastIndexOf('/') + 1);
  }

  private static void commit(
      Task task,
      AddressSpace space,
      Found found,
      String path,
      ElfProgram elf,
      long bias,
      long entry,
      long rsp) {
    Process process = task.process;
    endOtherThreads(task);
    AddressSpace old = process.space;
    old.detach(task.cpu);
    process.setSpace(space);
    space.attach(task.cpu);
    old.release();
    process.leaveSharedSpace();
    process.files = process.files.forExec();
    process.setExecutable(found.file, found.path);
    process.arguments = shown(found.arguments);
    process.symbols = ElfSymbols.of(found.file, bias);
    for (int signal = 1; signal <= Signals.MAX; signal++) {
      boolean ignored = process.actions[signal].handler() == SignalAction.SIG_IGN;
      process.actions[signal] =
          ignored ? new SignalAction(SignalAction.SIG_IGN, 0, 0, 0) : SignalAction.DEFAULT;
    }
    task.altStack = 0;
    task.altStackBytes = 0;
    task.altStackFlags = 2;
    task.clearChildTid = 0;
    task.robustList = 0;
    task.resetRegisters();
    task.cpu.put64(CpuState.RSP, rsp);
    task.cpu.rip(entry);
    task.cpu.flushTlbs();
  }

  /** What /proc/PID/cmdline keeps. */
  private static List<String> shown(List<String> arguments) {
    List<String> kept = new ArrayList<>();
    int bytes = 0;
    for (String each : arguments) {
      bytes += each.length() + 1;
      if (bytes > 4096) {
        break;
      }
      kept.add(each);
    }
    return kept;
  }

  private static void endOtherThreads(Task task) {
    Process process = task.process;
    for (Task other : process.tasks) {
      if (other != task) {
        other.exiting = true;
        other.wake();
        other.cpu.requestAttention();
      }
    }
    while (process.tasks.size() > 1) {
      task.awaitUninterruptibly(process.childChanged);
    }
    task.becomeLeader();
  }

  // --- finding ---

  private static Found find(Task task, String path, List<String> arguments, int depth) {
    if (depth > MAX_SCRIPTS) {
      throw new LinuxError(Errno.ELOOP);
    }
    OpenFile file = open(task, path);
    boolean keep = false;
    try {
      byte[] start = new byte[SCRIPT_LINE];
      int n = file.readAt(start, SCRIPT_LINE, 0);
      if (n < 2 || start[0] != '#' || start[1] != '!') {
        keep = true;
        return new Found(file, file.path(), arguments);
      }
      List<String> more = new ArrayList<>(scriptLine(start, n));
      String interpreter = more.getFirst();
      more.add(path);
      more.addAll(arguments.subList(Math.min(1, arguments.size()), arguments.size()));
      return find(task, interpreter, more, depth + 1);
    } finally {
      if (!keep) {
        file.release();
      }
    }
  }

  /** The interpreter and, if there is one, its single argument. */
  private static List<String> scriptLine(byte[] start, int length) {
    String text = new String(start, 2, length - 2, StandardCharsets.ISO_8859_1);
    int end = text.indexOf('\n');
    String line = (end < 0 ? text : text.substring(0, end)).strip();
    if (line.isEmpty()) {
      throw new LinuxError(Errno.ENOEXEC);
    }
    int space = 0;
    while (space < line.length() && line.charAt(space) != ' ' && line.charAt(space) != '\t') {
      space++;
    }
    if (space == line.length()) {
      return List.of(line);
    }
    return List.of(line.substring(0, space), line.substring(space).strip());
  }

  private static OpenFile open(Task task, String path) {
    try (Tree.Place place = task.kernel.tree.resolve(task.process.directory.path, path, true)) {
      Node node = place.node();
      FileStat stat = node.stat();
      if (!stat.isRegular()) {
        throw new LinuxError(Errno.EACCES);
      }
      if ((stat.mode() & 0111) == 0) {
        throw new LinuxError(Errno.EACCES);
      }
      OpenFile file = node.open(0);
      if (file.path().isEmpty()) {
        file.setPath(place.path());
      }
      return file;
    }
  }

  // --- loading ---

  /** Maps the segments; returns the bias. */
  private static long load(
      Kernel kernel, AddressSpace space, OpenFile file, ElfProgram elf, long bias) {
    for (ElfProgram.Segment s : elf.segments) {
      long start = (s.va() & -4096L) + bias;
      long fileEnd = s.va() + s.fileBytes() + bias;
      long end = (s.va() + s.memoryBytes() + bias + 4095) & -4096L;
      long fileMapped = s.fileBytes() == 0 ? start : (fileEnd + 4095) & -4096L;
      if (start < AddressSpace.BOTTOM
          || !AddressSpace.isRange(start, end - start)
          || !space.isFree(start, end - start)) {
        throw new LinuxError(Errno.ENOEXEC);
      }
      if (fileMapped > start) {
        Backing pages = kernel.pagesOf(file);
        try {
          space.map(start, fileMapped - start, s.rights(), pages, s.offset() & -4096L, false);
        } catch (LinuxError e) {
          pages.release(kernel.pool);
          throw e;
        }
      }
      if (end > fileMapped) {
        space.map(fileMapped, end - fileMapped, s.rights(), null, 0, false);
      }
      if (s.memoryBytes() > s.fileBytes()
          && s.fileBytes() > 0
          && (s.rights() & AddressSpace.WRITE) != 0) {
        clearTail(space, fileEnd, fileMapped);
      }
    }
    return bias;
  }

  /** Between the file's bytes and the page's end there are zeroes. */
  private static void clearTail(AddressSpace space, long from, long to) {
    if (to > from) {
      new parhelion.process.memory.UserMemory(space).clear(from, to - from);
    }
  }

  static @Nullable String nameOf(OpenFile file) {
    return file.path().isEmpty() ? null : file.path();
  }
}
