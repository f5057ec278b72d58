package parhelion.lab.bounds;

import static parhelion.cpu.CpuState.*;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuModel;
import parhelion.cpu.Engine;
import parhelion.cpu.Monitor;
import parhelion.cpu.Rflags;
import parhelion.cpu.Segments;
import parhelion.cpu.interp.CodeCache;
import parhelion.cpu.memory.MachineMemory;

/**
 * One memory, several jobs, and a supervisor that gives them turns. What protects the jobs from one
 * another is two numbers: the processor adds the base to every address of the running job, after it
 * has compared it with the bound. Here they are the base and limit of its segments in 32-bit
 * protected mode without paging (SDM volume 3, 3.4 and 5.3), so that it is the processor's own
 * check that stops a job.
 *
 * <p>A job runs with CPL 3, without descriptor tables and without ports: all that it can do beside
 * computing is INT 0x30, a call of the supervisor. Used by one thread.
 */
public final class BoundsMachine implements AutoCloseable {
  /** Bytes at the start of memory that are the supervisor's. */
  public static final int SUPERVISOR_BYTES = 4096;

  /** The most memory there can be. */
  public static final int MAX_BYTES = 1 << 24;

  /** What a job may print in one turn, in characters. */
  private static final int MAX_PRINTED = 4096;

  /** Supervisor calls; see guests/bounds/call.S. */
  private static final int CALL_VECTOR = 0x30;

  private static final int END = 0;
  private static final int NUMBER = 1;
  private static final int LETTER = 2;
  private static final int SIZE = 3;

  /** Present, DPL 3, 32 bits, accessed: readable code, writable data. */
  private static final int CODE_ATTRIBUTES = 0x40fb;

  private static final int DATA_ATTRIBUTES = 0x40f3;

  /** Protected mode, and no floating point: a turn would have to keep its registers, too. */
  private static final int CR0_PE = 1;

  private static final int CR0_EM = 4;
  private static final int CODE_SELECTOR = 0x0b;
  private static final int DATA_SELECTOR = 0x13;

  /** How the machine works. */
  public record Rules(int memoryBytes, boolean bounded, int slice, int moveEvery, long limit) {
    /**
     * @param memoryBytes of the machine, a multiple of 4096
     * @param bounded false to leave out the comparison with the bound
     * @param slice instructions of a turn
     * @param moveEvery turns of a job after which the supervisor moves it elsewhere; 0 for never
     * @param limit instructions of all jobs together
     */
    public Rules {
      if (memoryBytes % 4096 != 0 || memoryBytes <= SUPERVISOR_BYTES || memoryBytes > MAX_BYTES) {
        throw new IllegalArgumentException("memory of " + memoryBytes + " bytes");
      }
      if (slice <= 0 || moveEvery < 0 || limit <= 0) {
        throw new IllegalArgumentException("a slice, a number of turns or a limit");
      }
    }
  }

  /**
   * A turn that is over.
   *
   * @param base where the job lay during it
   * @param printed by the job
   */
  public record Turn(Job job, int base, long instructions, String printed) {}

  private final Rules rules;
  private final MachineMemory memory;
  private final Cpu cpu;
  private final List<Job> jobs = new ArrayList<>();
  private final StringBuilder printed = new StringBuilder();
  private @Nullable Job running;

  /** By the interpreter, which alone compares addresses with limits. */
  public BoundsMachine(Rules rules) {
    this.rules = rules;
    memory = new MachineMemory(rules.memoryBytes / 4096);
    CodeCache code = new CodeCache(memory, Engine.INTERPRETER);
    cpu = new Cpu(memory, code, new Supervisor(), CpuModel.DEFAULT);
    cpu.put64(CR0, CR0_PE | CR0_EM);
  }

  /**
   * Puts a job behind the others.
   *
   * @param image its code and data, from its address 0
   * @param bytes of memory that it gets
   * @throws IllegalArgumentException if the image is larger, or no memory is left
   */
  public Job add(String name, byte[] image, int bytes) {
    if (image.length > bytes || bytes <= 0) {
      throw new IllegalArgumentException(
          name + " has " + image.length + " bytes and is to get " + bytes);
    }
    int base = hole(bytes, SUPERVISOR_BYTES);
    if (base < 0) {
      throw new IllegalArgumentException("no room for " + name);
    }
    memory.write(base, image, 0, image.length);
    Job job = new Job(name, bytes, base);
    jobs.add(job);
    return job;
  }

  /** All jobs, in the order in which they get turns. */
  public List<Job> jobs() {
    return List.copyOf(jobs);
  }

  /** Bytes of the machine's memory as they are now. */
  public byte[] memory(int from, int length) {
    byte[] bytes = new byte[length];
    memory.read(from, bytes, 0, length);
    return bytes;
  }

  /** The lowest place for so many bytes from an address on that no job has; -1 without any. */
  private int hole(int bytes, int from) {
    int at = from;
    for (boolean moved = true; moved; ) {
      moved = false;
      for (Job job : jobs) {
        if (at < job.base + job.bytes() && job.base < at + bytes) {
          at = job.base + job.bytes();
          moved = true;
        }
      }
    }
    return at + bytes <= rules.memoryBytes ? at : -1;
  }

  // --- turns ---

  /** Gives turns until no job is ready. */
  public void run(Consumer<Turn> listener) {
    long left = rules.limit;
    for (int round = 1; jobs.stream().anyMatch(job -> job.state == Job.State.READY); round++) {
      for (Job job : jobs) {
        if (job.state != Job.State.READY) {
          continue;
        }
        if (left <= 0) {
          job.state = Job.State.STOPPED;
          continue;
        }
        int base = job.base;
        long before = cpu.retired;
        turn(job, Math.min(rules.slice, left));
        long instructions = cpu.retired - before;
        job.instructions += instructions;
        left -= Math.max(1, instructions);
        listener.accept(new Turn(job, base, instructions, printed.toString()));
        if (rules.moveEvery != 0 && round % rules.moveEvery == 0 && job.state == Job.State.READY) {
          move(job);
        }
      }
    }
  }

  private void turn(Job job, long slice) {
    printed.setLength(0);
    running = job;
    for (int i = 0; i < Job.REGISTERS; i++) {
      cpu.put32(GPR + i * 8, job.registers[i]);
    }
    cpu.rip(job.eip & 0xffff_ffffL);
    cpu.rflags(job.eflags);
    long limit = (rules.bounded ? job.bytes() : rules.memoryBytes - job.base) - 1;
    Segments.set(cpu, CS, CODE_SELECTOR, job.base, limit, CODE_ATTRIBUTES);
    for (int segment : new int[] {SS, DS, ES}) {
      Segments.set(cpu, segment, DATA_SELECTOR, job.base, limit, DATA_ATTRIBUTES);
    }
    for (int segment : new int[] {FS, GS}) {
      Segments.set(cpu, segment, 0, 0, 0, 0);
    }
    cpu.updateMode();
    cpu.run(slice);
    for (int i = 0; i < Job.REGISTERS; i++) {
      job.registers[i] = cpu.get32(GPR + i * 8);
    }
    job.eip = (int) cpu.rip();
    job.eflags = cpu.rflags() & (Rflags.ARITHMETIC | Rflags.DF);
  }

  /** Moves a job to a higher hole, or the lowest; it has no means to notice. */
  private void move(Job job) {
    int to = hole(job.bytes(), job.base + job.bytes());
    if (to < 0) {
      to = hole(job.bytes(), SUPERVISOR_BYTES);
    }
    if (to < 0) {
      return; // there is no other place
    }
    byte[] content = memory(job.base, job.bytes());
    memory.write(to, content, 0, content.length);
    memory.write(job.base, new byte[content.length], 0, content.length);
    job.base = to;
  }

  // --- what interrupts a job ---

  private void kill(String offence) {
    Job job = running;
    if (job != null) {
      job.state = Job.State.KILLED;
      job.offence = offence;
    }
    cpu.stop();
  }

  private void call(Job job) {
    switch (cpu.get32(RAX)) {
      case END -> {
        job.state = Job.State.ENDED;
        cpu.stop();
      }
      case NUMBER -> print(Integer.toUnsignedString(cpu.get32(RBX)) + ' ');
      case LETTER -> print(String.valueOf((char) (cpu.get32(RBX) & 0x7f)));
      case SIZE -> cpu.put32(RAX, job.bytes());
      default -> kill("called the supervisor by a number that there is not: " + cpu.get32(RAX));
    }
  }

  private void print(String text) {
    if (printed.length() + text.length() <= MAX_PRINTED) {
      printed.append(text);
    }
  }

  private final class Supervisor implements Monitor {
    @Override
    public void softwareInterrupt(Cpu c, int vector, int insnLength) {
      Job job = running;
      if (vector == CALL_VECTOR && job != null) {
        call(job);
      } else {
        kill("made software interrupt " + vector);
      }
    }

    @Override
    public void exception(Cpu c, int vector, int errorCode, long cr2) {
      Job job = running;
      kill(job == null ? "" : Offence.of(c, memory, job, vector));
    }

    @Override
    public void syscall(Cpu c) {
      kill("made a system call that is not the supervisor's");
    }

    @Override
    public void sysenter(Cpu c) {
      kill("made a system call that is not the supervisor's");
    }
  }

  @Override
  public void close() {
    cpu.close();
    memory.close();
  }
}
