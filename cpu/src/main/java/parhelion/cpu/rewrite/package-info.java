/**
 * The rewriter: the second engine, which turns guest x86-64 code into host x86-64 code. The
 * instruction set is the same, so instructions are re-emitted, not re-implemented: guest registers
 * and flags live in the host's; what changes is memory operands (through the software TLB), control
 * flow, and all that is rare or privileged, which leaves to Java, where the interpreter executes
 * that one instruction.
 *
 * <p>Reading order: {@link parhelion.cpu.rewrite.NativeState} (what generated code finds where),
 * {@code Scanner} (a run of guest instructions and which flags are live in it), {@code Treatment}
 * (what becomes of each instruction), {@code RegionWriter} (the code), {@code Routines} (the way in
 * and out), {@code Rewriter} (the run loop and the exits).
 */
@NullMarked
package parhelion.cpu.rewrite;

import org.jspecify.annotations.NullMarked;
