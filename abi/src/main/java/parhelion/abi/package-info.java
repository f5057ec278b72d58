/**
 * Xen's public ABI as data, for a 64-bit paravirtualised guest: hypercall numbers and their
 * sub-ops, error numbers, flags, and the layout of every structure that hypervisor and guest share.
 *
 * <p>Nothing here does anything. Three kinds of declaration, each checked against what gcc computed
 * from Xen's headers:
 *
 * <ul>
 *   <li><b>Rosters</b> ({@link parhelion.abi.Hypercall}, {@link parhelion.abi.EvtchnOp}, ...):
 *       enums of {@link parhelion.abi.Numbered} rows with a fast {@code of(nr)}.
 *   <li><b>Constants</b> ({@link parhelion.abi.Gntst}, {@link parhelion.abi.Sif}, ...): plain
 *       {@code static final} numbers; {@link parhelion.abi.XenNames} says which C names they stand
 *       for.
 *   <li><b>Structs</b>: a {@link parhelion.abi.Struct} and its {@link parhelion.abi.Field}s.
 *       Hypercall arguments are records with {@code read(bytes, at)}, which copies each field by
 *       value exactly once; live shared pages are fields only, for views that other modules put
 *       over guest memory.
 * </ul>
 *
 * <p>Unsigned C numbers arrive in the smallest Java type that holds all of their values without a
 * sign, so that a bounds check by {@code <} is right for hostile input: {@code uint8_t} and {@code
 * uint16_t} are {@code int}, {@code uint32_t} is {@code long}; {@code uint64_t} is {@code long}
 * with the same bits.
 *
 * <p>Read {@link parhelion.abi.Bytes} first, then {@link parhelion.abi.Field}, then {@link
 * parhelion.abi.EvtchnArgs}.
 */
@NullMarked
package parhelion.abi;

import org.jspecify.annotations.NullMarked;
