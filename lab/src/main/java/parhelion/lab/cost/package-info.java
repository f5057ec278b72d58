/**
 * What a run would cost on named hardware: files with the price of each kind of interception, and
 * the sum of prices times counts. Start at {@code CostModel}; the models that come along are the
 * YAML files in the resources beside this package.
 */
@NullMarked
package parhelion.lab.cost;

import org.jspecify.annotations.NullMarked;
