package parhelion.cpu;

import org.jspecify.annotations.Nullable;

/**
 * A measurement mark: by CPUID with a leaf of our own a program says where the part of it that is
 * to be measured begins and ends, at once and exactly, from user mode and under every monitor.
 * Registers carry what it has to say. The instruction does nothing else: registers come back as of
 * any leaf that does not exist, on hardware as well, so that a program need not know whether
 * somebody listens. What a mark says is the guest's word: nothing of it can be relied on.
 *
 * @param what ECX: what is said, by the program's and the listener's own convention
 * @param number RBX: which part is meant
 * @param operations RDX: how often was done what is measured
 * @param bytes RSI: how many bytes that moved
 * @param nanos RDI: how long it took by the guest's clock
 */
public record Mark(int what, long number, long operations, long bytes, long nanos) {
  /** EAX: "Parh". Neither a basic nor an extended leaf, nor one of a hypervisor's. */
  public static final int LEAF = 0x5061_7268;

  /** Who is told of marks, on the thread that runs the guest, between two of its instructions. */
  public interface Listener {
    /** The guest has executed a mark. */
    void marked(Mark mark);
  }

  /**
   * The mark that a CPUID is, with the registers as they are before it is carried out; null if it
   * is an ordinary one.
   */
  public static @Nullable Mark of(Cpu cpu) {
    if ((int) cpu.get64(CpuState.RAX) != LEAF) {
      return null;
    }
    return new Mark(
        (int) cpu.get64(CpuState.RCX),
        cpu.get64(CpuState.RBX),
        cpu.get64(CpuState.RDX),
        cpu.get64(CpuState.RSI),
        cpu.get64(CpuState.RDI));
  }
}
