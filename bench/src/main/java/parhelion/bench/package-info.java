/**
 * JMH benchmarks, run by {@code bench/run}, and comparisons with QEMU and the host, run by {@code
 * bench/boot} and {@code bench/table}; of the latter, begin with {@link parhelion.bench.Table}. Not
 * tests: nothing here can fail a build.
 */
@NullMarked
package parhelion.bench;

import org.jspecify.annotations.NullMarked;
