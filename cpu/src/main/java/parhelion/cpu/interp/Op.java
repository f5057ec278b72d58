package parhelion.cpu.interp;

import parhelion.cpu.Cpu;

/**
 * One executable instruction (or fused pair) of a decoded block. Commits all of its effects or
 * throws the CPU's {@link parhelion.cpu.GuestFault} having committed none. RIP already holds the
 * address after the block; only instructions that end a block may read or write it.
 */
@FunctionalInterface
public interface Op {
  void exec(Cpu c);
}
