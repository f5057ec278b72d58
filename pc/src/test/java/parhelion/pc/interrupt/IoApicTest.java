package parhelion.pc.interrupt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The I/O APIC, by the 82093AA's data sheet. */
final class IoApicTest {
  private final List<ApicMessage> sent = new ArrayList<>();
  private final IoApic ioApic = new IoApic(sent::add);

  private long read(int register) {
    ioApic.write(0, 4, register);
    return ioApic.read(0x10, 4);
  }

  private void write(int register, long value) {
    ioApic.write(0, 4, register);
    ioApic.write(0x10, 4, value);
  }

  @Test
  void itSaysWhatItIsAndStartsMasked() {
    assertEquals(0x0017_0011, read(1));
    for (int pin = 0; pin < IoApic.PINS; pin++) {
      assertEquals(0x1_0000, read(0x10 + 2 * pin));
    }
    write(0, 0x0500_0000);
    assertEquals(0x0500_0000, read(0));
    assertEquals(0, read(0x10 + 2 * IoApic.PINS), "nothing is behind the last entry");
  }

  @Test
  void anEdgeIsOneMessage() {
    write(0x13, 0x0200_0000);
    write(0x12, 0x35);
    ioApic.set(1, true);
    ioApic.set(1, true);
    ioApic.set(1, false);
    assertEquals(List.of(new ApicMessage(2, false, ApicMessage.FIXED, 0x35, false, false)), sent);
  }

  @Test
  void anEdgeAtAMaskedInputIsLost() {
    ioApic.set(4, true);
    write(0x18, 0x35);
    assertEquals(List.of(), sent);
  }

  @Test
  void aLevelIsSentAgainAfterItWasServedWhileItLasts() {
    write(0x1a, 0x8050);
    ioApic.set(5, true);
    assertEquals(1, sent.size());
    assertEquals(0xc050, read(0x1a), "remote IRR");
    ioApic.set(5, false);
    ioApic.set(5, true);
    assertEquals(1, sent.size(), "not before the first is served");
    ioApic.endOfInterrupt(0x51);
    assertEquals(1, sent.size(), "another vector");
    ioApic.endOfInterrupt(0x50);
    assertEquals(2, sent.size());
    ioApic.set(5, false);
    ioApic.endOfInterrupt(0x50);
    assertEquals(2, sent.size());
    assertEquals(0x8050, read(0x1a));
  }

  @Test
  void aLevelThatWaitedIsSentOnceItIsUnmasked() {
    write(0x1a, 0x1_8050);
    ioApic.set(5, true);
    assertEquals(0, sent.size());
    write(0x1a, 0x8050);
    assertEquals(1, sent.size());
  }

  @Test
  void softwareCannotWriteStatusBits() {
    write(0x1a, 0xd050);
    assertEquals(0x8050, read(0x1a));
  }
}
