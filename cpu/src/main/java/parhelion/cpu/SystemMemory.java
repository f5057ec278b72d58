package parhelion.cpu;

/**
 * The processor's own accesses to descriptor tables, task-state segments and inner stacks: a
 * supervisor's whatever the current privilege level is. At CPL 3 they go by the supervisor's TLB,
 * if the monitor keeps one, and by none that RFLAGS.AC has opened user pages in, which it does not
 * for these accesses.
 */
final class SystemMemory {
  private SystemMemory() {}

  static long load(Cpu c, long va, int size) {
    if (c.cpl() != 3 && !c.opensUserPages()) {
      return c.load(va, size);
    }
    if ((va & 4095) + size > 4096) {
      long value = 0;
      for (int i = 0; i < size; i++) {
        value |= load(c, va + i, 1) << (8 * i);
      }
      return value;
    }
    long translation = translate(c, va, Access.READ);
    long pa = (translation & -4096L) | (va & 4095);
    if ((translation & Access.HOOKED) != 0) {
      long value = c.monitor.load(c, va, pa, size);
      return size == 8 ? value : value & ((1L << (8 * size)) - 1);
    }
    return switch (size) {
      case 1 -> c.memory.getByte(pa) & 0xff;
      case 2 -> c.memory.getShort(pa) & 0xffff;
      case 4 -> c.memory.getInt(pa) & 0xffff_ffffL;
      default -> c.memory.getLong(pa);
    };
  }

  static void store(Cpu c, long va, int size, long value) {
    if (c.cpl() != 3 && !c.opensUserPages()) {
      c.store(va, size, value);
      return;
    }
    if ((va & 4095) + size > 4096) {
      translate(c, va, Access.WRITE);
      translate(c, va + size - 1, Access.WRITE);
      for (int i = 0; i < size; i++) {
        store(c, va + i, 1, value >>> (8 * i));
      }
      return;
    }
    long translation = translate(c, va, Access.WRITE);
    long pa = (translation & -4096L) | (va & 4095);
    if ((translation & Access.HOOKED) != 0) {
      c.monitor.store(c, va, pa, size, value);
      return;
    }
    switch (size) {
      case 1 -> c.memory.putByte(pa, (byte) value);
      case 2 -> c.memory.putShort(pa, (short) value);
      case 4 -> c.memory.putInt(pa, (int) value);
      default -> c.memory.putLong(pa, value);
    }
  }

  private static long translate(Cpu c, long va, int access) {
    if (c.longMode() && va << 16 >> 16 != va) {
      throw c.fault(GuestFault.GP, 0);
    }
    long at = c.longMode() ? va : va & 0xffff_ffffL;
    long known = c.inSupervisorTlb(at, access);
    if (known >= 0) {
      return known;
    }
    long result = c.monitor.translate(c, at, access | Access.IMPLICIT);
    if (result < 0) {
      throw c.pageFault(at, Access.errorCode(result));
    }
    c.installForSupervisor(at, result);
    return result;
  }
}
