/**
 * From instruction bytes to {@link parhelion.cpu.decode.Insn} and from there to text. Read {@link
 * parhelion.cpu.decode.OpcodeMap} first: it is the one list of instructions that everything else
 * reads.
 */
@NullMarked
package parhelion.cpu.decode;

import org.jspecify.annotations.NullMarked;
