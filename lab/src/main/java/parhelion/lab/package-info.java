/**
 * The lab: runs the same kernel and the same workloads under each technique of virtualisation, and
 * says what the difference is made of. Start at {@code result.Comparison}, which is all that a run
 * leaves behind.
 */
@NullMarked
package parhelion.lab;

import org.jspecify.annotations.NullMarked;
