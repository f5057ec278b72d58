package parhelion.pc.disk;

/**
 * A command to an ATA device and its outcome: the registers that carry both, in their 48-bit form
 * (ATA/ATAPI-7, section 5). A controller fills one, a {@link Drive} changes it.
 */
final class Taskfile {
  static final int STATUS_ERROR = 0x01;
  static final int STATUS_DATA = 0x08;
  static final int STATUS_SEEK_DONE = 0x10;
  static final int STATUS_READY = 0x40;
  static final int STATUS_BUSY = 0x80;

  /** Ready, and nothing went wrong. */
  static final int STATUS_GOOD = STATUS_READY | STATUS_SEEK_DONE;

  static final int ERROR_ABORTED = 0x04;
  static final int ERROR_NO_ID = 0x10;
  static final int ERROR_UNCORRECTABLE = 0x40;

  /** Device register: addresses are by block, not by cylinder, head and sector. */
  static final int DEVICE_LBA = 0x40;

  private static final int COMMAND_PACKET = 0xa0;

  int command;

  /** 16 bits; 28-bit commands take the lower 8, as of {@link #count}. */
  int feature;

  int count;

  /** 48 bits; 28-bit commands have their uppermost 4 in {@link #device}. */
  long lba;

  int device;
  int status;
  int error;

  /** Whether the command is one that a packet brings. */
  boolean isPacket() {
    return command == COMMAND_PACKET;
  }

  /**
   * How much a drive gives at a time by the data register: a sector, or what a packet's byte count
   * register allows.
   */
  int blockBytes(int otherwise) {
    if (!isPacket()) {
      return otherwise;
    }
    int limit = (int) (lba >>> 8) & 0xfffe;
    return limit == 0 ? 0xfffe : limit;
  }

  void good() {
    status = STATUS_GOOD;
    error = 0;
  }

  void failed(int errorBits) {
    status = STATUS_GOOD | STATUS_ERROR;
    error = errorBits;
  }

  void aborted() {
    failed(ERROR_ABORTED);
  }
}
