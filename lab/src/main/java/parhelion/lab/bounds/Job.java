package parhelion.lab.bounds;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A program and the piece of memory that it believes to be all there is: from address 0 to its
 * bound. Its registers are here while another job runs.
 */
public final class Job {
  /** Jobs that come with Parhelion; sources in guests/bounds. */
  public static final List<String> NAMES = List.of("intruder", "squares", "primes");

  /** What has become of a job. */
  public enum State {
    READY,
    ENDED,

    /** It did something that no job may do; {@link Job#offence} says what. */
    KILLED,

    /** Others' time was up before it ended. */
    STOPPED
  }

  /** EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI. */
  static final int REGISTERS = 8;

  static final int ESP = 4;

  private final String name;
  private final int bytes;
  int base;
  State state = State.READY;
  @Nullable String offence;
  long instructions;

  final int[] registers = new int[REGISTERS];
  int eip;
  long eflags;

  Job(String name, int bytes, int base) {
    this.name = name;
    this.bytes = bytes;
    this.base = base;
    registers[ESP] = bytes;
  }

  /** The code of a job of {@link #NAMES}. */
  public static byte[] image(String name) throws IOException {
    try (InputStream in = Job.class.getResourceAsStream(name)) {
      if (in == null || !NAMES.contains(name)) {
        throw new IllegalArgumentException(name);
      }
      return in.readAllBytes();
    }
  }

  public String name() {
    return name;
  }

  /** Bytes of its memory: the bound. */
  public int bytes() {
    return bytes;
  }

  /** Where its address 0 lies in the machine's memory at present. */
  public int base() {
    return base;
  }

  public State state() {
    return state;
  }

  /** What a killed job did, in words. */
  public @Nullable String offence() {
    return offence;
  }

  /** Instructions that it has executed. */
  public long instructions() {
    return instructions;
  }
}
