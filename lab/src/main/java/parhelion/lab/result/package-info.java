/**
 * What a comparison measured, as data: records that are written as JSON and read back. Medians,
 * intervals and modelled times are computed from these and never stored.
 */
@NullMarked
package parhelion.lab.result;

import org.jspecify.annotations.NullMarked;
