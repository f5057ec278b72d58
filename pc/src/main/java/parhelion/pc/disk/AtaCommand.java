package parhelion.pc.disk;

import org.jspecify.annotations.Nullable;

/** The commands of ATA/ATAPI-7 that a disk here has, with their codes. */
enum AtaCommand {
  DATA_SET_MANAGEMENT(0x06, Kind.OTHER, true),
  RECALIBRATE(0x10, Kind.NOTHING, false),
  READ_SECTORS(0x20, Kind.READ, false),
  READ_SECTORS_NO_RETRY(0x21, Kind.READ, false),
  READ_SECTORS_EXT(0x24, Kind.READ, true),
  READ_DMA_EXT(0x25, Kind.READ_DMA, true),
  READ_NATIVE_MAX_EXT(0x27, Kind.OTHER, true),
  READ_MULTIPLE_EXT(0x29, Kind.READ_MULTIPLE, true),
  WRITE_SECTORS(0x30, Kind.WRITE, false),
  WRITE_SECTORS_NO_RETRY(0x31, Kind.WRITE, false),
  WRITE_SECTORS_EXT(0x34, Kind.WRITE, true),
  WRITE_DMA_EXT(0x35, Kind.WRITE_DMA, true),
  WRITE_MULTIPLE_EXT(0x39, Kind.WRITE_MULTIPLE, true),
  VERIFY(0x40, Kind.VERIFY, false),
  VERIFY_NO_RETRY(0x41, Kind.VERIFY, false),
  VERIFY_EXT(0x42, Kind.VERIFY, true),
  READ_QUEUED(0x60, Kind.READ_QUEUED, true),
  WRITE_QUEUED(0x61, Kind.WRITE_QUEUED, true),
  SEEK(0x70, Kind.NOTHING, false),
  INITIALIZE_PARAMETERS(0x91, Kind.OTHER, false),
  READ_MULTIPLE(0xc4, Kind.READ_MULTIPLE, false),
  WRITE_MULTIPLE(0xc5, Kind.WRITE_MULTIPLE, false),
  SET_MULTIPLE(0xc6, Kind.OTHER, false),
  READ_DMA(0xc8, Kind.READ_DMA, false),
  READ_DMA_NO_RETRY(0xc9, Kind.READ_DMA, false),
  WRITE_DMA(0xca, Kind.WRITE_DMA, false),
  WRITE_DMA_NO_RETRY(0xcb, Kind.WRITE_DMA, false),
  STANDBY_IMMEDIATE(0xe0, Kind.FLUSH, false),
  IDLE_IMMEDIATE(0xe1, Kind.NOTHING, false),
  STANDBY(0xe2, Kind.FLUSH, false),
  IDLE(0xe3, Kind.NOTHING, false),
  CHECK_POWER(0xe5, Kind.OTHER, false),
  SLEEP(0xe6, Kind.FLUSH, false),
  FLUSH(0xe7, Kind.FLUSH, false),
  FLUSH_EXT(0xea, Kind.FLUSH, true),
  IDENTIFY(0xec, Kind.OTHER, false),
  SET_FEATURES(0xef, Kind.OTHER, false),
  READ_NATIVE_MAX(0xf8, Kind.OTHER, false);

  /** What a command is like. */
  enum Kind {
    NOTHING,
    FLUSH,
    VERIFY,
    READ,
    READ_MULTIPLE,
    READ_DMA,
    READ_QUEUED,
    WRITE,
    WRITE_MULTIPLE,
    WRITE_DMA,
    WRITE_QUEUED,
    OTHER;

    boolean isQueued() {
      return this == READ_QUEUED || this == WRITE_QUEUED;
    }

    boolean isWrite() {
      return this == WRITE || this == WRITE_MULTIPLE || this == WRITE_DMA || this == WRITE_QUEUED;
    }

    boolean isMultiple() {
      return this == READ_MULTIPLE || this == WRITE_MULTIPLE;
    }

    boolean isDma() {
      return this == READ_DMA || this == WRITE_DMA || isQueued();
    }
  }

  private static final @Nullable AtaCommand[] BY_CODE = new AtaCommand[256];

  static {
    for (AtaCommand command : values()) {
      BY_CODE[command.code] = command;
    }
  }

  final int code;
  final Kind kind;

  /** Whether addresses have 48 bits and counts 16. */
  final boolean wide;

  AtaCommand(int code, Kind kind, boolean wide) {
    this.code = code;
    this.kind = kind;
    this.wide = wide;
  }

  static @Nullable AtaCommand of(int code) {
    return BY_CODE[code & 0xff];
  }
}
