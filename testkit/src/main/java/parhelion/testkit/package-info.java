/**
 * What tests across modules share: the native oracle, micro-guests and the checks on the build
 * itself. Never shipped.
 */
@NullMarked
package parhelion.testkit;

import org.jspecify.annotations.NullMarked;
