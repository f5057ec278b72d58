package parhelion.backends.block;

/**
 * What kind of disk a guest sees.
 *
 * @param readOnly writes are refused, whatever the disk would do
 * @param cdrom it is a CD-ROM, and read-only
 * @param sectorBytes size of its logical sectors, 512 or 4096
 * @param physicalSectorBytes what it says of its physical sectors: 4096 with logical ones of 512 is
 *     called 512e
 * @param persistentGrants let the guest keep pages granted and copy to and from them: a copy costs
 *     it less than granting a page and taking it back (docs/performance.md)
 */
public record BlockOptions(
    boolean readOnly,
    boolean cdrom,
    int sectorBytes,
    int physicalSectorBytes,
    boolean persistentGrants) {
  /** An ordinary disk. */
  public static final BlockOptions DISK = new BlockOptions(false, false, 512, 4096, true);

  public BlockOptions {
    if ((sectorBytes != 512 && sectorBytes != 4096) || physicalSectorBytes < sectorBytes) {
      throw new IllegalArgumentException("sectors of " + sectorBytes + " bytes");
    }
    readOnly |= cdrom;
  }
}
