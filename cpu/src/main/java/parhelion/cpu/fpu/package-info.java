/**
 * x87, MMX and SSE: soft extended arithmetic, packed integers, MXCSR-exact floating point, and the
 * state areas of FXSAVE and XSAVE. {@link parhelion.cpu.fpu.FpuOps} is the way in.
 */
@NullMarked
package parhelion.cpu.fpu;

import org.jspecify.annotations.NullMarked;
