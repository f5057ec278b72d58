/**
 * The toolstack: everything between a user's wish and a running domain. Fetches and unpacks kernels
 * and packages, makes initial RAM disks, builds domains and watches over their lives.
 */
@NullMarked
package parhelion.toolstack;

import org.jspecify.annotations.NullMarked;
