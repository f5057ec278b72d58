package parhelion.cpu;

/** Hardware task switching, which no system of interest uses: refused with #GP, as docs/quirks.md says. */
final class TaskSwitch {
  private TaskSwitch() {}

  static void interrupt(Cpu c, int selector, int code) {
    throw c.fault(GuestFault.GP, selector & 0xfffc);
  }
}
