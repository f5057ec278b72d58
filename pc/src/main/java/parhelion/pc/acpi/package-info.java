/** ACPI: the tables that tell an operating system what the machine has, and the fixed hardware. */
@NullMarked
package parhelion.pc.acpi;

import org.jspecify.annotations.NullMarked;
