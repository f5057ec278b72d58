/**
 * What few and uneven samples allow to say: medians and ratios with intervals that need no normal
 * distribution.
 */
@NullMarked
package parhelion.lab.statistics;

import org.jspecify.annotations.NullMarked;
