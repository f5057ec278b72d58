package parhelion.cpu;

import java.util.List;

/**
 * What the rewriter did for the CPUs of one machine memory.
 *
 * @param regions runs of guest code that were turned into host code
 * @param instructions guest instructions in them
 * @param hostBytes bytes of host code that were written for them
 * @param writingNanos host time that this took
 * @param copies regions that were copied from those of another guest instead
 * @param heldBytes bytes of host code that are held now
 * @param drops regions that were dropped as their guest code changed
 * @param resets how often all code was dropped because there was no room for more
 * @param pageWalks page-table walks by generated code
 * @param exits how often generated code left for Java, by why; in the order of the reasons
 * @param interpreted instructions that the interpreter executed for it, by mnemonic, the most
 *     frequent first
 */
public record EngineStats(
    long regions,
    long instructions,
    long hostBytes,
    long writingNanos,
    long copies,
    long heldBytes,
    long drops,
    long resets,
    long pageWalks,
    List<Count> exits,
    List<Count> interpreted) {
  /** How often something was. */
  public record Count(String name, long count) {}
}
