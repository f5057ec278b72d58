/** Files as guests see them: the tree of names, and what descriptors refer to. */
@NullMarked
package parhelion.process.file;

import org.jspecify.annotations.NullMarked;
