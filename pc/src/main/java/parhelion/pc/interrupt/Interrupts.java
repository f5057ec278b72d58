package parhelion.pc.interrupt;

import java.util.List;
import parhelion.pc.Board;
import parhelion.pc.InterruptLine;

/**
 * All interrupt controllers of a machine and the wires between them. Lines 0 to 15 go to the 8259s
 * and to the I/O APIC's input of the same number, except for line 0, the timer's, whose input is 2
 * there; 16 to 23 to the I/O APIC alone. On the thread that runs the machine.
 */
public final class Interrupts {
  private static final int TIMER_PIN = 2;

  private final List<LocalApic> processors;
  private final Pic pic;
  private final IoApic ioApic = new IoApic(this::deliver);
  private int rotation;

  /** Inputs that are raised, by line. */
  private final int[] asking = new int[IoApic.PINS];

  /**
   * For the processors' local APICs, which may be added to the list until the machine runs.
   *
   * @param changed called when the 8259s may ask, or ask no more
   */
  public Interrupts(List<LocalApic> processors, Runnable changed) {
    this.processors = processors;
    pic = new Pic(changed);
  }

  /** Places the registers. */
  public void plug(Board board) {
    pic.plug(board);
    board.mapMemory(IoApic.ADDRESS, 4096, "ioapic", ioApic);
  }

  /** The state after reset; the local APICs are reset with their processors. */
  public void reset() {
    pic.reset();
    ioApic.reset();
  }

  public Pic pic() {
    return pic;
  }

  public IoApic ioApic() {
    return ioApic;
  }

  /**
   * A new input of line 0 to 23. A line is raised while any of its inputs is: inputs are for good,
   * one for each device.
   */
  public InterruptLine line(int gsi) {
    if (gsi < 0 || gsi >= IoApic.PINS) {
      throw new IllegalArgumentException("interrupt line " + gsi);
    }
    return new Input(gsi);
  }

  private final class Input implements InterruptLine {
    private final int gsi;
    private boolean raised;

    Input(int gsi) {
      this.gsi = gsi;
    }

    @Override
    public void set(boolean raise) {
      if (raise == raised) {
        return;
      }
      raised = raise;
      asking[gsi] += raise ? 1 : -1;
      if (asking[gsi] == (raise ? 1 : 0)) {
        drive(gsi, raise);
      }
    }
  }

  private void drive(int gsi, boolean high) {
    if (gsi < 16) {
      pic.set(gsi, high);
    }
    ioApic.set(gsi == 0 ? TIMER_PIN : gsi, high);
  }

  /** Gives a message to the processors that it is for. */
  public void deliver(ApicMessage message) {
    if (message.mode() == ApicMessage.LOWEST_PRIORITY) {
      deliverToOne(message);
      return;
    }
    for (LocalApic apic : processors) {
      if (apic.isAddressed(message)) {
        apic.receive(message);
      }
    }
  }

  /** A message of a processor's to others, or to itself. */
  public void deliver(LocalApic from, ApicMessage message) {
    if (!message.exceptSender()) {
      deliver(message);
      return;
    }
    for (LocalApic apic : processors) {
      if (apic != from && apic.isAddressed(message)) {
        apic.receive(message);
      }
    }
  }

  /** In turn, as no processor runs with a lower priority for long. */
  private void deliverToOne(ApicMessage message) {
    for (int i = 0; i < processors.size(); i++) {
      LocalApic apic = processors.get((rotation + i) % processors.size());
      if (apic.isAddressed(message)) {
        rotation = (rotation + i + 1) % processors.size();
        apic.receive(message);
        return;
      }
    }
  }
}
