/** A machine's time, and the chips that keep it: PIT, RTC, HPET. */
@NullMarked
package parhelion.pc.time;

import org.jspecify.annotations.NullMarked;
