/**
 * What a comparison says: {@code Analysis} computes all of it once, and the page, the terminal's
 * table and the JSON only show it. Measured and modelled numbers stay apart in each.
 */
@NullMarked
package parhelion.lab.report;

import org.jspecify.annotations.NullMarked;
