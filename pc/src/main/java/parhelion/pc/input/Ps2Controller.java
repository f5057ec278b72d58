package parhelion.pc.input;

import parhelion.pc.Board;
import parhelion.pc.Board.Mapping;
import parhelion.pc.InterruptLine;
import parhelion.pc.Registers;

/**
 * The 8042 with a keyboard and a mouse: ports 0x60 and 0x64, interrupts 1 and 12, and two pins of
 * its output port that are not about keys at all: the processor's reset and address line 20.
 *
 * <p>Address line 20 is always on in this machine, as it is for all software since protected mode;
 * what software says of it is kept and can be read back.
 */
public final class Ps2Controller {
  private static final int STATUS_FULL = 1;
  private static final int STATUS_SYSTEM = 1 << 2;
  private static final int STATUS_COMMAND = 1 << 3;
  private static final int STATUS_UNLOCKED = 1 << 4;
  private static final int STATUS_MOUSE = 1 << 5;

  private static final int CONFIG_KEYBOARD_INTERRUPT = 1;
  private static final int CONFIG_MOUSE_INTERRUPT = 1 << 1;
  private static final int CONFIG_SYSTEM = 1 << 2;
  private static final int CONFIG_KEYBOARD_OFF = 1 << 4;
  private static final int CONFIG_MOUSE_OFF = 1 << 5;
  private static final int CONFIG_TRANSLATE = 1 << 6;
  private static final int CONFIG_AT_RESET = CONFIG_SYSTEM | CONFIG_TRANSLATE | 3;

  private static final int OUTPUT_NO_RESET = 1;
  private static final int OUTPUT_A20 = 1 << 1;

  private static final int TO_NOBODY = -1;
  private static final int BREAK = 0xf0;
  private static final int RAM_BYTES = 32;

  private final InterruptLine keyboardLine;
  private final InterruptLine mouseLine;
  private final Runnable reset;
  private final Ps2Keyboard keyboard = new Ps2Keyboard();
  private final Ps2Mouse mouse = new Ps2Mouse();
  private final byte[] ram = new byte[RAM_BYTES];
  private int output = OUTPUT_NO_RESET | OUTPUT_A20;
  private int status = STATUS_UNLOCKED;
  private int buffer;

  /** A byte of the controller's own that goes before those of devices, and whose it seems to be. */
  private int own = TO_NOBODY;

  private boolean ownIsMouse;

  /** A command that waits for a byte at port 0x60, or -1. */
  private int pending = TO_NOBODY;

  /** The keyboard has said that a key goes up; the next byte is which. */
  private boolean breaking;

  /**
   * Plugs the controller in.
   *
   * @param reset called on the machine's thread when software pulses the processor's reset
   */
  public Ps2Controller(Board board, Runnable reset) {
    keyboardLine = board.line(1);
    mouseLine = board.line(12);
    this.reset = reset;
    ram[0] = CONFIG_AT_RESET;
    Mapping unused = board.mapPorts(0x60, 1, "8042 data", new Port(true));
    unused = board.mapPorts(0x64, 1, "8042 command", new Port(false));
  }

  /** As the machine is reset. */
  public void reset() {
    keyboard.reset();
    mouse.reset();
    java.util.Arrays.fill(ram, (byte) 0);
    ram[0] = CONFIG_AT_RESET;
    output = OUTPUT_NO_RESET | OUTPUT_A20;
    status = STATUS_UNLOCKED;
    own = TO_NOBODY;
    pending = TO_NOBODY;
    breaking = false;
    keyboardLine.set(false);
    mouseLine.set(false);
  }

  // -- The user's side; on the machine's thread.

  /** A key goes down or up; false if the keyboard had no room, and it was lost. */
  public boolean key(Key key, boolean down) {
    boolean taken = keyboard.key(key, down);
    fill();
    return taken;
  }

  /** The mouse moves, up and to the right; buttons left, right and middle are bits 0 to 2. */
  public void move(int dx, int dy, int wheel, int buttons) {
    mouse.move(dx, dy, wheel, buttons);
    fill();
  }

  /** The keyboard's lights: scroll lock, num lock, caps lock are bits 0 to 2. */
  public int leds() {
    return keyboard.leds();
  }

  // -- Ports.

  private final class Port implements Registers {
    private final boolean data;

    Port(boolean data) {
      this.data = data;
    }

    @Override
    public long read(long offset, int size) {
      return data ? readData() : status;
    }

    @Override
    public void write(long offset, int size, long value) {
      if (data) {
        status &= ~STATUS_COMMAND;
        writeData((int) value & 0xff);
      } else {
        status |= STATUS_COMMAND;
        command((int) value & 0xff);
      }
      fill();
    }
  }

  private int readData() {
    int value = buffer;
    if ((status & STATUS_FULL) != 0) {
      status &= ~(STATUS_FULL | STATUS_MOUSE);
      keyboardLine.set(false);
      mouseLine.set(false);
      fill();
    }
    return value;
  }

  private boolean has(int bit) {
    return (ram[0] & bit) != 0;
  }

  /** Puts the next byte into the buffer, if that is empty and there is one. */
  private void fill() {
    if ((status & STATUS_FULL) != 0) {
      return;
    }
    if (own >= 0) {
      int value = own;
      own = TO_NOBODY;
      put(value, ownIsMouse);
    } else if (keyboard.hasByte() && !has(CONFIG_KEYBOARD_OFF)) {
      fromKeyboard(keyboard.take());
    } else if (mouse.hasByte() && !has(CONFIG_MOUSE_OFF)) {
      put(mouse.take(), true);
    }
  }

  private void fromKeyboard(int value) {
    if (!has(CONFIG_TRANSLATE)) {
      put(value, false);
    } else if (value == BREAK) {
      breaking = true;
      fill();
    } else {
      put(ScanCodes.translated(value) | (breaking ? 0x80 : 0), false);
      breaking = false;
    }
  }

  private void put(int value, boolean fromMouse) {
    buffer = value;
    status |= STATUS_FULL | (fromMouse ? STATUS_MOUSE : 0);
    if (fromMouse) {
      mouseLine.set(has(CONFIG_MOUSE_INTERRUPT));
    } else {
      keyboardLine.set(has(CONFIG_KEYBOARD_INTERRUPT));
    }
  }

  private void answer(int value) {
    own = value;
    ownIsMouse = false;
  }

  private void command(int command) {
    pending = TO_NOBODY;
    if (command >= 0x20 && command < 0x40) {
      answer(ram[command & 0x1f] & 0xff);
    } else if (command >= 0x60 && command < 0x80 || command >= 0xd1 && command <= 0xd4) {
      pending = command;
    } else if (command >= 0xf0) {
      if ((command & OUTPUT_NO_RESET) == 0) {
        reset.run();
      }
    } else {
      simple(command);
    }
  }

  private void simple(int command) {
    switch (command) {
      case 0xa7 -> ram[0] |= CONFIG_MOUSE_OFF;
      case 0xa8 -> ram[0] &= ~CONFIG_MOUSE_OFF;
      case 0xa9, 0xab -> answer(0); // both lines are good
      case 0xaa -> {
        status |= STATUS_SYSTEM;
        answer(0x55);
      }
      case 0xad -> ram[0] |= CONFIG_KEYBOARD_OFF;
      case 0xae -> ram[0] &= ~CONFIG_KEYBOARD_OFF;
      case 0xc0 -> answer(0x80); // the lock is open
      case 0xd0 -> {
        int full = (status & STATUS_FULL) == 0 ? 0 : (status & STATUS_MOUSE) == 0 ? 0x10 : 0x20;
        answer(output | full);
      }
      case 0xdd -> output &= ~OUTPUT_A20;
      case 0xdf -> output |= OUTPUT_A20;
      default -> {}
    }
  }

  private void writeData(int value) {
    int waits = pending;
    pending = TO_NOBODY;
    if (waits >= 0x60 && waits < 0x80) {
      ram[waits & 0x1f] = (byte) value;
      if (waits == 0x60) {
        status = status & ~STATUS_SYSTEM | value & STATUS_SYSTEM;
      }
      return;
    }
    switch (waits) {
      case 0xd1 -> {
        output = value & (OUTPUT_NO_RESET | OUTPUT_A20);
        if ((value & OUTPUT_NO_RESET) == 0) {
          reset.run();
        }
      }
      case 0xd2 -> {
        own = value;
        ownIsMouse = false;
      }
      case 0xd3 -> {
        own = value;
        ownIsMouse = true;
      }
      case 0xd4 -> {
        ram[0] &= ~CONFIG_MOUSE_OFF;
        mouse.receive(value);
      }
      default -> {
        ram[0] &= ~CONFIG_KEYBOARD_OFF;
        keyboard.receive(value);
      }
    }
  }
}
