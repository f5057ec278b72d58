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

  /** Fills frame {@code mfn}. */
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
