package parhelion.media.disk.qcow2;

/**
 * Host clusters in a row that were free and now have a refcount of one.
 *
 * @param cluster the number of the first
 * @param count how many
 * @param fresh they are past everything that the file has ever held, and so read as zeroes
 */
record Allocation(long cluster, int count, boolean fresh) {}
