/**
 * The interpreter against the host's own processor: random instructions and programs, executed by
 * both from the same state. Begin at {@link parhelion.testkit.oracle.NativeOracle}; docs/testing.md
 * says how to run more of it and how to repeat a failure.
 */
@NullMarked
package parhelion.testkit.oracle;

import org.jspecify.annotations.NullMarked;
