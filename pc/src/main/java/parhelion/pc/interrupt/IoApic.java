package parhelion.pc.interrupt;

import java.util.function.Consumer;
import parhelion.pc.Registers;

/**
 * An 82093AA I/O APIC of 24 inputs at 0xfec00000: turns a line into a message as its redirection
 * entry says. On the thread that runs the machine.
 */
public final class IoApic implements Registers {
  public static final long ADDRESS = 0xfec0_0000L;
  public static final int PINS = 24;

  private static final int VERSION = 0x11 | PINS - 1 << 16;
  private static final long DELIVERY_STATUS = 1 << 12;
  private static final long REMOTE_IRR = 1 << 14;
  private static final long LEVEL = 1 << 15;
  private static final long MASKED = 1 << 16;
  private static final long WRITABLE = 0xff00_0000_0001_ffffL & ~(DELIVERY_STATUS | REMOTE_IRR);

  private final Consumer<ApicMessage> bus;
  private final long[] entries = new long[PINS];
  private int raised;
  private int id;
  private int select;

  /** One whose messages {@code bus} takes. */
  public IoApic(Consumer<ApicMessage> bus) {
    this.bus = bus;
    reset();
  }

  /** The state after reset. */
  public void reset() {
    java.util.Arrays.fill(entries, MASKED);
    id = 0;
    select = 0;
  }

  @Override
  public long read(long offset, int size) {
    if (offset == 0) {
      return select;
    }
    if (offset != 0x10) {
      return 0;
    }
    if (select >= 0x10 && select < 0x10 + 2 * PINS) {
      long entry = entries[select - 0x10 >> 1];
      return (select & 1) == 0 ? entry & 0xffff_ffffL : entry >>> 32;
    }
    return switch (select) {
      case 0, 2 -> id << 24 & 0xffff_ffffL;
      case 1 -> VERSION;
      default -> 0;
    };
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == 0) {
      select = (int) value & 0xff;
    } else if (offset == 0x10) {
      if (select == 0) {
        id = (int) (value >>> 24) & 15;
      } else if (select >= 0x10 && select < 0x10 + 2 * PINS) {
        int pin = select - 0x10 >> 1;
        long old = entries[pin];
        long merged =
            (select & 1) == 0
                ? old & ~0xffff_ffffL | value & 0xffff_ffffL
                : old & 0xffff_ffffL | value << 32;
        entries[pin] = merged & WRITABLE | old & REMOTE_IRR;
        if ((merged & LEVEL) == 0) {
          entries[pin] &= ~REMOTE_IRR;
        }
        serviceLevel(pin);
      }
    }
  }

  /** The state of an input's line. */
  public void set(int pin, boolean high) {
    int bit = 1 << pin;
    if (high == ((raised & bit) != 0)) {
      return;
    }
    raised ^= bit;
    // What drives a line says whether it asks; its polarity is agreed between board and software.
    if (!high) {
      return;
    }
    if ((entries[pin] & LEVEL) != 0) {
      serviceLevel(pin);
    } else if ((entries[pin] & MASKED) == 0) {
      send(entries[pin]);
    }
  }

  private void serviceLevel(int pin) {
    long entry = entries[pin];
    if ((entry & (LEVEL | MASKED | REMOTE_IRR)) == LEVEL && (raised >>> pin & 1) != 0) {
      entries[pin] |= REMOTE_IRR;
      send(entry);
    }
  }

  private void send(long entry) {
    bus.accept(
        new ApicMessage(
            (int) (entry >>> 56),
            (entry & 0x800) != 0,
            (int) (entry >>> 8) & 7,
            (int) entry & 0xff,
            (entry & LEVEL) != 0,
            false));
  }

  /** A level-triggered interrupt has been served: those that still ask are sent again. */
  public void endOfInterrupt(int vector) {
    for (int pin = 0; pin < PINS; pin++) {
      long entry = entries[pin];
      if ((entry & REMOTE_IRR) != 0 && (entry & 0xff) == vector) {
        entries[pin] &= ~REMOTE_IRR;
        serviceLevel(pin);
      }
    }
  }
}
