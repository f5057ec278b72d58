/** JMH benchmarks, run by {@code bench/run}. Not tests: nothing here can fail a build. */
@NullMarked
package parhelion.bench;

import org.jspecify.annotations.NullMarked;
