package parhelion.pc.disk;

/** Bytes on their way through a data register, a block at a time. */
final class PioTransfer {
  final boolean in;
  private final byte[] buffer;
  private final int end;
  private final int blockBytes;

  /** What comes once all bytes have gone through. */
  final Runnable then;

  private int position;
  private int blockEnd;

  PioTransfer(boolean in, byte[] buffer, int end, int blockBytes, Runnable then) {
    this.in = in;
    this.buffer = buffer;
    this.end = end;
    this.blockBytes = blockBytes;
    this.then = then;
  }

  /** Begins the next block; returns its length. */
  int nextBlock() {
    blockEnd = Math.min(end, position + blockBytes);
    return blockEnd - position;
  }

  boolean isBlockDone() {
    return position == blockEnd;
  }

  boolean isDone() {
    return position == end;
  }

  int read(int size) {
    int value = 0;
    for (int i = 0; i < size; i++) {
      int unit = position < blockEnd ? buffer[position++] & 0xff : 0;
      value |= unit << 8 * i;
    }
    return value;
  }

  void write(int size, int value) {
    for (int i = 0; i < size && position < blockEnd; i++) {
      buffer[position++] = (byte) (value >>> 8 * i);
    }
  }
}
