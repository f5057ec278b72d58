package parhelion.pc.input;

import java.util.ArrayDeque;

/** What is plugged into one of the controller's two ports: takes bytes, and has bytes to give. */
abstract class Ps2Device {
  static final int ACKNOWLEDGE = 0xfa;
  static final int RESEND = 0xfe;
  static final int SELF_TEST_PASSED = 0xaa;

  /** What a device keeps of input; a key more is lost, as in a keyboard. */
  private static final int MAX_QUEUED = 64;

  private final ArrayDeque<Integer> queue = new ArrayDeque<>();
  private int last;

  /** The host has sent a byte. */
  abstract void receive(int value);

  /** As if it were switched on. */
  abstract void reset();

  final void answer(int... bytes) {
    for (int value : bytes) {
      queue.add(value);
    }
  }

  /** Whether there is room for input of so many bytes; answers to commands always have room. */
  final boolean hasRoom(int bytes) {
    return queue.size() + bytes <= MAX_QUEUED;
  }

  final void clear() {
    queue.clear();
  }

  final boolean hasByte() {
    return !queue.isEmpty();
  }

  final int take() {
    last = queue.remove();
    return last;
  }

  /** The byte that was given last, which a host may ask for again. */
  final int last() {
    return last;
  }
}
