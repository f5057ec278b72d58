package parhelion.xen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static parhelion.cpu.CpuState.*;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import parhelion.cpu.Mark;
import parhelion.cpu.memory.MachineMemory;

/** Measurement marks of a paravirtual guest's, from its kernel and from its programs. */
final class MarksTest {
  /**
   * mov ebx, 7; mov ecx, 2; mov edx, 3; mov esi, 4; mov edi, 5; mov eax, the leaf; cpuid; jmp to
   * itself.
   */
  private static final byte[] CODE =
      HexFormat.of()
          .parseHex("bb07000000b902000000ba03000000be04000000bf05000000b8687261500fa2ebfe");

  private static final int ENDLESS = 2;

  @Test
  void aMarkTellsItsRegistersAndTheInstructionsBeforeIt() {
    for (boolean kernel : new boolean[] {true, false}) {
      try (FakeGuest g = guest()) {
        List<Mark> marks = new ArrayList<>();
        List<Long> retired = new ArrayList<>();
        g.hypervisor.setMarkListener(
            mark -> {
              marks.add(mark);
              retired.add(g.cpu().retired);
            });
        run(g, kernel);
        assertEquals(List.of(new Mark(2, 7, 3, 4, 5)), marks);
        // The interpreter counts a block at its end: the mark's is counted with it, or not.
        assertTrue(retired.getFirst() <= 7, () -> retired + " instructions");
        for (int register : new int[] {RAX, RBX, RCX, RDX}) {
          assertEquals(0, g.cpu().get64(register), "as of any leaf that does not exist");
        }
        assertEquals(
            0, g.hypervisor.trapStats().byCause().size(), "a mark costs the guest nothing");
      }
    }
  }

  @Test
  void nobodyHearsAMarkUnlessHeListens() {
    try (FakeGuest g = guest()) {
      run(g, true);
      assertEquals(0, g.cpu().get64(RAX));
      List<Mark> marks = new ArrayList<>();
      g.hypervisor.setMarkListener(marks::add);
      g.cpu().put64(RAX, 1);
      g.cpu().rip(FakeGuest.CODE + CODE.length - ENDLESS - 2);
      g.cpu().run(2);
      assertEquals(List.of(), marks, "another leaf");
    }
  }

  private static FakeGuest guest() {
    return new FakeGuest(new Hypervisor(new MachineMemory(4096), new VirtualClock(0)), 1);
  }

  private static void run(FakeGuest g, boolean kernel) {
    long at = kernel ? FakeGuest.CODE : FakeGuest.USER_CODE;
    g.memory.write(g.pa(at), CODE, 0, CODE.length);
    Vcpu v = g.vcpu();
    if (!kernel) {
      v.setUserCr3(g.l4 << 12);
      v.toggleMode();
    }
    g.cpu().rip(at);
    g.cpu().updateMode();
    g.cpu().run(20);
    assertEquals(at + CODE.length - ENDLESS, g.cpu().rip());
  }
}
