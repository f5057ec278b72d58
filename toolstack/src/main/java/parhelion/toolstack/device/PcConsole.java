package parhelion.toolstack.device;

import java.util.Arrays;
import java.util.concurrent.Semaphore;
import parhelion.backends.console.ConsoleEnd;
import parhelion.backends.console.ConsoleInput;
import parhelion.pc.Board;
import parhelion.pc.pci.PciFunction;
import parhelion.pc.virtio.VirtioConsole;

/**
 * A console of a PC by virtio, with what is behind it on the host. Input comes by any thread, all
 * else is on the machine's.
 */
final class PcConsole implements ConsoleInput, AutoCloseable {
  /** Input that the guest has not read yet: whoever gives more of it waits. */
  private static final int ROOM_BYTES = 16 << 10;

  private static final int PIECE_BYTES = 4096;

  private final Board board;
  private final ConsoleEnd end;
  private final VirtioConsole.Device device;
  private final Semaphore room = new Semaphore(ROOM_BYTES);
  private volatile boolean closed;

  PcConsole(Board board, String name, ConsoleEnd end) {
    this.board = board;
    this.end = end;
    device = VirtioConsole.device(board, name, end.sink()::accept, room::release);
    end.sink().whenRoom(() -> board.post(device.console()::outputHasRoom));
    end.connected(this);
  }

  PciFunction function() {
    return device.transport().function();
  }

  @Override
  public void feed(byte[] bytes, int offset, int length) throws InterruptedException {
    for (int done = 0; done < length; ) {
      int piece = Math.min(PIECE_BYTES, length - done);
      room.acquire(piece);
      if (closed) {
        return;
      }
      byte[] copy = Arrays.copyOfRange(bytes, offset + done, offset + done + piece);
      board.post(
          () -> {
            if (!device.console().input(copy)) {
              room.release(copy.length); // cannot be: there is more room than was acquired
            }
          });
      done += piece;
    }
  }

  @Override
  public void close() {
    closed = true;
    room.release(Integer.MAX_VALUE / 2); // whoever waits, and whoever comes
    end.disconnected();
  }
}
