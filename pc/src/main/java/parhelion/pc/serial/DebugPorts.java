package parhelion.pc.serial;

import parhelion.pc.Board;
import parhelion.pc.Registers;

/**
 * The two ports to which firmware tells what it does: 402h as QEMU has it, and E9h as Bochs. Both
 * read as E9h, by which firmware finds them.
 */
public final class DebugPorts {
  private static final int[] PORTS = {0x402, 0xe9};

  private DebugPorts() {}

  /** Places them; what is written goes to {@code peer}, and is lost where that has no room. */
  public static void plug(Board board, SerialPeer peer) {
    for (int port : PORTS) {
      board.mapPorts(
          port,
          1,
          "debug",
          new Registers() {
            @Override
            public long read(long offset, int size) {
              return 0xe9;
            }

            @Override
            public void write(long offset, int size, long value) {
              boolean unused = peer.send((byte) value);
            }
          });
    }
  }
}
