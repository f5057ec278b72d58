package parhelion.pc.disk;

import org.jspecify.annotations.Nullable;

/** The packet commands that a CD-ROM drive here has (MMC-3). */
enum PacketCommand {
  TEST_UNIT_READY(0x00, false, true),
  REQUEST_SENSE(0x03, true, false),
  INQUIRY(0x12, true, false),
  START_STOP(0x1b, false, false),
  PREVENT_REMOVAL(0x1e, false, false),
  READ_CAPACITY(0x25, false, true),
  READ_10(0x28, false, true),
  SEEK(0x2b, false, true),
  READ_TOC(0x43, false, true),
  GET_CONFIGURATION(0x46, true, false),
  GET_EVENT(0x4a, true, false),
  READ_DISC_INFORMATION(0x51, false, true),
  MODE_SENSE_10(0x5a, false, false),
  READ_12(0xa8, false, true),
  SET_SPEED(0xbb, false, false),
  MECHANISM_STATUS(0xbd, false, false),
  READ_CD(0xbe, false, true);

  private static final @Nullable PacketCommand[] BY_CODE = new PacketCommand[256];

  static {
    for (PacketCommand command : values()) {
      BY_CODE[command.code] = command;
    }
  }

  private final int code;

  /** Whether it is done though a reset or a change of discs has not been told of yet. */
  final boolean evenAfterReset;

  final boolean needsDisc;

  PacketCommand(int code, boolean evenAfterReset, boolean needsDisc) {
    this.code = code;
    this.evenAfterReset = evenAfterReset;
    this.needsDisc = needsDisc;
  }

  static @Nullable PacketCommand of(int code) {
    return BY_CODE[code];
  }
}
