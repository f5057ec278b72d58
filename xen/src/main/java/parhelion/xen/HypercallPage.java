package parhelion.xen;

import parhelion.abi.Hypercall;
import parhelion.cpu.memory.MachineMemory;

/**
 * The page of hypercall stubs that guests which do not issue {@code syscall} themselves call into:
 * 128 stubs of 32 bytes, stub n for hypercall n.
 */
public final class HypercallPage {
  /** Index of the MSR that a guest writes a page's address to. */
  public static final int MSR = 0x4000_0000;

  private static final int STUB_BYTES = 32;

  private HypercallPage() {}

  /** Fills a fully virtualised guest's page: its stubs leave to the hypervisor by VMCALL. */
  public static void fillFull(MachineMemory memory, long mfn) {
    byte[] page = new byte[4096];
    java.util.Arrays.fill(page, (byte) 0xcc);
    for (int nr = 0; nr < page.length / STUB_BYTES; nr++) {
      int at = nr * STUB_BYTES;
      if (nr == Hypercall.IRET.nr()) {
        page[at] = 0x0f; // ud2
        page[at + 1] = 0x0b;
        continue;
      }
      page[at] = (byte) 0xb8; // mov eax, nr
      page[at + 1] = (byte) nr;
      page[at + 2] = 0;
      page[at + 3] = 0;
      page[at + 4] = 0;
      page[at + 5] = 0x0f; // vmcall
      page[at + 6] = 0x01;
      page[at + 7] = (byte) 0xc1;
      page[at + 8] = (byte) 0xc3; // ret
    }
    memory.write(mfn << 12, page, 0, page.length);
  }

  /** Fills a paravirtual guest's frame {@code mfn}. */
  public static void fill(MachineMemory memory, long mfn) {
    byte[] page = new byte[4096];
    java.util.Arrays.fill(page, (byte) 0xcc);
    for (int nr = 0; nr < page.length / STUB_BYTES; nr++) {
      boolean iret = nr == Hypercall.IRET.nr();
      int[] head = iret ? new int[] {0x51, 0x41, 0x53, 0x50} : new int[] {0x51, 0x41, 0x53};
      int[] tail =
          iret
              ? new int[] {0x0f, 0x05} // syscall
              : new int[] {0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3}; // syscall; pop r11; pop rcx; ret
      int at = nr * STUB_BYTES;
      for (int b : head) { // push rcx; push r11 (; push rax)
        page[at++] = (byte) b;
      }
      page[at++] = (byte) 0xb8; // mov eax, nr
      page[at++] = (byte) nr;
      page[at++] = 0;
      page[at++] = 0;
      page[at++] = 0;
      for (int b : tail) {
        page[at++] = (byte) b;
      }
    }
    memory.write(mfn << 12, page, 0, page.length);
  }
}
