/** What the lab measures: the roster of workloads, and how each is made a figure. */
@NullMarked
package parhelion.lab.workload;

import org.jspecify.annotations.NullMarked;
