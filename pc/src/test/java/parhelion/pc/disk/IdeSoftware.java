package parhelion.pc.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import parhelion.pc.FakeBoard;

/** What a driver does to an IDE channel: the protocols of ATA/ATAPI-7, chapter 9. */
final class IdeSoftware {
  private final FakeBoard board;
  private final int ports;
  private final int controlPort;
  final int irq;

  IdeSoftware(FakeBoard board, boolean primary) {
    this.board = board;
    ports = primary ? 0x1f0 : 0x170;
    controlPort = primary ? 0x3f6 : 0x376;
    irq = primary ? 14 : 15;
  }

  int in(int register) {
    return board.in(ports + register, 1);
  }

  void out(int register, int value) {
    board.out(ports + register, 1, value);
  }

  int alternateStatus() {
    return board.in(controlPort, 1);
  }

  void control(int value) {
    board.out(controlPort, 1, value);
  }

  /** A command with 28-bit or CHS registers. */
  void command(int code, int feature, int count, int lba, int device) {
    out(6, device | lba >>> 24 & 15);
    out(1, feature);
    out(2, count);
    out(3, lba);
    out(4, lba >>> 8);
    out(5, lba >>> 16);
    out(7, code);
  }

  /** A command with 48-bit registers. */
  void wideCommand(int code, int feature, int count, long lba, int device) {
    out(6, device);
    out(1, feature >>> 8);
    out(2, count >>> 8);
    for (int i = 0; i < 3; i++) {
      out(3 + i, (int) (lba >>> 24 + 8 * i) & 0xff);
    }
    out(1, feature & 0xff);
    out(2, count & 0xff);
    for (int i = 0; i < 3; i++) {
      out(3 + i, (int) (lba >>> 8 * i) & 0xff);
    }
    out(7, code);
  }

  /** Takes a block of data, words of so many bytes. */
  byte[] take(int length, int wordBytes) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i += wordBytes) {
      int word = board.in(ports, wordBytes);
      for (int j = 0; j < wordBytes; j++) {
        bytes[i + j] = (byte) (word >>> 8 * j);
      }
    }
    return bytes;
  }

  void give(byte[] bytes) {
    for (int i = 0; i < bytes.length; i += 2) {
      board.out(ports, 2, bytes[i] & 0xff | (bytes[i + 1] & 0xff) << 8);
    }
  }

  /** The line has risen; reading the status lowers it. */
  int interrupted() {
    assertEquals(true, board.isRaised(irq), "no interrupt");
    int status = in(7);
    assertEquals(false, board.isRaised(irq));
    return status;
  }

  /** A packet command up to its data, or its end. */
  void packet(int byteCount, boolean dma, int... bytes) {
    command(0xa0, dma ? 1 : 0, 0, byteCount << 8, 0xa0);
    assertEquals(0x58, alternateStatus());
    assertEquals(1, in(2), "the drive waits for a command");
    byte[] packet = new byte[12];
    for (int i = 0; i < bytes.length; i++) {
      packet[i] = (byte) bytes[i];
    }
    give(packet);
  }
}
