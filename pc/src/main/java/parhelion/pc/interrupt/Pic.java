package parhelion.pc.interrupt;

import parhelion.pc.Board;
import parhelion.pc.Registers;

/**
 * The two cascaded 8259A of a PC: ports 20h and 21h, A0h and A1h, and the edge/level registers at
 * 4D0h and 4D1h. On the thread that runs the machine.
 */
public final class Pic {
  private static final int CASCADE = 2;

  private final Runnable changed;
  private final Chip master = new Chip(false);
  private final Chip slave = new Chip(true);

  /**
   * The pair.
   *
   * @param changed called when the interrupt to the processor may have come or gone
   */
  public Pic(Runnable changed) {
    this.changed = changed;
  }

  /** Places the registers. */
  public void plug(Board board) {
    board.mapPorts(0x20, 2, "pic", master);
    board.mapPorts(0xa0, 2, "pic", slave);
    board.mapPorts(
        0x4d0,
        2,
        "pic",
        new Registers() {
          @Override
          public long read(long offset, int size) {
            long both = master.levels | slave.levels << 8;
            return both >>> 8 * offset;
          }

          @Override
          public void write(long offset, int size, long value) {
            for (int i = 0; i < size && offset + i < 2; i++) {
              int levels = (int) (value >>> 8 * i);
              // The timer, keyboard, cascade and clock are edges for good.
              if (offset + i == 0) {
                master.levels = levels & 0xf8;
              } else {
                slave.levels = levels & 0xde;
              }
            }
          }
        });
  }

  /** The state after reset: nothing is served until software has initialised the pair. */
  public void reset() {
    master.reset();
    slave.reset();
  }

  /** The state of line 0 to 15. */
  public void set(int line, boolean high) {
    if (line < 8) {
      master.set(line, high);
    } else {
      slave.set(line - 8, high);
      cascade();
    }
    changed.run();
  }

  private void cascade() {
    master.set(CASCADE, slave.pending() >= 0);
  }

  /** Whether the pair asks the processor for an interrupt. */
  public boolean asks() {
    return master.pending() >= 0;
  }

  /** The processor's acknowledgement: the vector. */
  public int acknowledge() {
    int line = master.acknowledge();
    int vector;
    if (line == CASCADE) {
      vector = slave.base + slave.acknowledge();
      cascade();
    } else {
      vector = master.base + line;
    }
    return vector & 0xff;
  }

  private final class Chip implements Registers {
    private final boolean isSlave;
    private int base;
    private int lines;
    private int levels;
    private int irr;
    private int isr;
    private int imr;
    private int lowest;
    private int step;
    private boolean wantsIcw4;
    private boolean single;
    private boolean autoEnd;
    private boolean rotateOnAutoEnd;
    private boolean specialMask;
    private boolean fullyNested;
    private boolean readIsr;
    private boolean poll;
    private boolean initialised;

    Chip(boolean isSlave) {
      this.isSlave = isSlave;
      reset();
    }

    void reset() {
      irr = 0;
      isr = 0;
      imr = 0;
      levels = 0;
      lowest = 7;
      step = 0;
      autoEnd = false;
      rotateOnAutoEnd = false;
      specialMask = false;
      fullyNested = false;
      readIsr = false;
      poll = false;
      initialised = false;
    }

    void set(int line, boolean high) {
      int bit = 1 << line;
      if (high) {
        if ((levels & bit) != 0 || (lines & bit) == 0) {
          irr |= bit;
        }
        lines |= bit;
      } else {
        lines &= ~bit;
        // An edge that was withdrawn before it was served is none; the cascade follows the slave.
        irr &= ~bit;
      }
    }

    private int priorityOf(int bits) {
      for (int i = 1; i <= 8; i++) {
        int line = lowest + i & 7;
        if ((bits >> line & 1) != 0) {
          return line;
        }
      }
      return -1;
    }

    /** Line that asks for an interrupt now, or -1. */
    int pending() {
      int wanting = irr & ~imr;
      if (wanting == 0 || !initialised) {
        return -1;
      }
      int serving = specialMask ? isr & ~imr : isr;
      if (fullyNested && !isSlave) {
        serving &= ~(1 << CASCADE);
      }
      int best = priorityOf(wanting);
      int now = priorityOf(serving);
      if (now < 0) {
        return best;
      }
      int bestRank = best - lowest - 1 & 7;
      int nowRank = now - lowest - 1 & 7;
      return bestRank < nowRank ? best : -1;
    }

    int acknowledge() {
      int line = pending();
      if (line < 0) {
        return 7; // spurious: nothing is put in service
      }
      int bit = 1 << line;
      if ((levels & bit) == 0) {
        irr &= ~bit;
      }
      if (autoEnd) {
        if (rotateOnAutoEnd) {
          lowest = line;
        }
      } else {
        isr |= bit;
      }
      return line;
    }

    @Override
    public long read(long offset, int size) {
      if (poll) {
        poll = false;
        int line = pending();
        if (line < 0) {
          return 0;
        }
        int taken = acknowledge();
        update();
        return 0x80 | taken;
      }
      if (offset == 1) {
        return imr;
      }
      return readIsr ? isr : irr;
    }

    @Override
    public void write(long offset, int size, long value) {
      int v = (int) value & 0xff;
      if (offset == 0) {
        command(v);
      } else {
        data(v);
      }
      if (size > 1 && offset == 0) {
        data((int) (value >>> 8) & 0xff);
      }
      update();
    }

    private void update() {
      cascade();
      changed.run();
    }

    private void command(int v) {
      if ((v & 0x10) != 0) {
        int keptLines = lines;
        reset();
        lines = keptLines;
        wantsIcw4 = (v & 1) != 0;
        single = (v & 2) != 0;
        step = 1;
      } else if ((v & 0x08) != 0) {
        if ((v & 2) != 0) {
          readIsr = (v & 1) != 0;
        }
        poll = (v & 4) != 0;
        if ((v & 0x40) != 0) {
          specialMask = (v & 0x20) != 0;
        }
      } else {
        endOrRotate(v >> 5, v & 7);
      }
    }

    private void endOrRotate(int operation, int level) {
      switch (operation) {
        case 0, 4 -> rotateOnAutoEnd = operation == 4;
        case 1, 5 -> {
          int line = priorityOf(specialMask ? isr & ~imr : isr);
          if (line >= 0) {
            isr &= ~(1 << line);
            if (operation == 5) {
              lowest = line;
            }
          }
        }
        case 3, 7 -> {
          isr &= ~(1 << level);
          if (operation == 7) {
            lowest = level;
          }
        }
        case 6 -> lowest = level;
        default -> {} // no operation
      }
      irr |= lines & levels;
    }

    private void data(int v) {
      switch (step) {
        case 1 -> {
          base = v & 0xf8;
          step = single ? wantsIcw4 ? 3 : 0 : 2;
        }
        case 2 -> step = wantsIcw4 ? 3 : 0;
        case 3 -> {
          autoEnd = (v & 2) != 0;
          fullyNested = (v & 0x10) != 0;
          step = 0;
        }
        default -> {
          imr = v;
          return;
        }
      }
      if (step == 0) {
        initialised = true;
        irr |= lines & levels;
      }
    }
  }
}
