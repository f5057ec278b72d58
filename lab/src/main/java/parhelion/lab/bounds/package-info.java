/**
 * The historical form of partial virtualisation, to learn from: jobs in one memory, each behind a
 * base and a bound register, as on CTSS's IBM 7094 (docs/base-and-bound.md).
 */
@NullMarked
package parhelion.lab.bounds;

import org.jspecify.annotations.NullMarked;
