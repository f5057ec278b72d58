@NullMarked
package parhelion.pc.acpi;

import org.jspecify.annotations.NullMarked;
