package parhelion.cpu;

import static parhelion.cpu.CpuState.*;

import parhelion.cpu.memory.MachineMemory;

/**
 * Walks the guest's page tables as the processor does (SDM volume 3, chapter 4): no paging, 32-bit,
 * PAE and 4-level, with exact page-fault error codes, accessed and dirty bits. Results are for one
 * 4 KiB page also where the mapping is large. The A20 gate is not modelled; page-directory-pointer
 * entries of PAE are read at each walk.
 *
 * <p>Runs on the CPU's thread. Entries are changed by compare-and-set, so guests may change them
 * from other CPUs meanwhile.
 */
public final class PageWalker {
  /** Bits of a page-table entry. */
  public static final long PRESENT = 1;

  public static final long WRITABLE = 1 << 1;
  public static final long USER = 1 << 2;
  public static final long ACCESSED = 1 << 5;
  public static final long DIRTY = 1 << 6;
  public static final long LARGE = 1 << 7;
  public static final long GLOBAL = 1 << 8;
  public static final long NO_EXECUTE = 1L << 63;

  /** Bits of a #PF error code. */
  public static final int PF_PRESENT = 1;

  public static final int PF_WRITE = 2;
  public static final int PF_USER = 4;
  public static final int PF_RESERVED = 8;
  public static final int PF_FETCH = 16;

  private static final long CR0_WP = 1L << 16;
  private static final long CR0_PG = 1L << 31;
  private static final long CR4_PSE = 1L << 4;
  private static final long CR4_PAE = 1L << 5;
  private static final long CR4_SMEP = 1L << 20;
  private static final long CR4_SMAP = 1L << 21;
  private static final long EFER_LMA = 1L << 10;
  private static final long EFER_NXE = 1L << 11;

  /** Bits 12 to 51: the address field of 8-byte entries. */
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;

  private static final long PHYSICAL = (1L << Cpuid.PHYSICAL_BITS) - 1;

  /**
   * Reserved bits of PAE's page-directory-pointer entries: not P, PWT, PCD, 9 to 11 or the address.
   */
  static final long POINTER_RESERVED = ~(ADDRESS & PHYSICAL) & ~0xe19L;

  private PageWalker() {}

  /**
   * Translates {@code va} for the CPU's current mode and CR3; {@code access} is one of {@link
   * Access}, perhaps with {@link Access#IMPLICIT}. Returns the page's machine address with rights,
   * or {@link Access#pageFault}.
   */
  public static long translate(Cpu c, long va, int access) {
    boolean user = c.cpl() == 3 && (access & Access.IMPLICIT) == 0;
    return find(c, c.get64(CR3), va, access, user);
  }

  /**
   * Translates with another page-table base and privilege than the CPU's own; paging mode and
   * control bits are the CPU's. Sets accessed and dirty bits.
   *
   * @param user true for an access of user mode (CPL 3)
   */
  public static long walk(Cpu c, long cr3, long va, int access, boolean user) {
    long result = find(c, cr3, va, access, user);
    if (result < 0) {
      throw c.pageFault(c.longMode() ? va : va & 0xffff_ffffL, Access.errorCode(result));
    }
    return result;
  }

  /**
   * {@link #walk} that throws nothing: a fault is its {@link Access#pageFault}, which costs much
   * less.
   */
  public static long find(Cpu c, long cr3, long va, int access, boolean user) {
    if ((c.get64(CR0) & CR0_PG) == 0) {
      return result(c, va & 0xffff_f000L, Access.MAY_READ | Access.MAY_WRITE | Access.MAY_EXECUTE);
    }
    if ((c.get64(EFER) & EFER_LMA) != 0) {
      return walk64(c, cr3 & ADDRESS & PHYSICAL, 4, va, access, user);
    }
    if ((c.get64(CR4) & CR4_PAE) == 0) {
      return walk32(c, cr3 & 0xffff_f000L, va & 0xffff_ffffL, access, user);
    }
    long va32 = va & 0xffff_ffffL;
    long pointer = entry(c.memory, (cr3 & 0xffff_ffe0L) + (va32 >>> 30) * 8);
    if ((pointer & PRESENT) == 0) {
      return Access.pageFault(code(c, access, user));
    }
    if ((pointer & POINTER_RESERVED) != 0) {
      return Access.pageFault(code(c, access, user) | PF_PRESENT | PF_RESERVED);
    }
    return walk64(c, pointer & ADDRESS, 2, va32, access, user);
  }

  /**
   * Machine address that {@code va} maps to under {@code cr3} in the CPU's paging mode whatever the
   * rights, or -1. Changes nothing: for debuggers, backtraces and checks.
   */
  public static long lookup(Cpu c, long cr3, long va) {
    if ((c.get64(CR0) & CR0_PG) == 0) {
      return va & 0xffff_ffffL;
    }
    boolean pae = (c.get64(CR4) & CR4_PAE) != 0;
    boolean longMode = (c.get64(EFER) & EFER_LMA) != 0;
    if (!pae && !longMode) {
      return lookup32(c, cr3, va & 0xffff_ffffL);
    }
    long table = longMode ? cr3 & ADDRESS & PHYSICAL : cr3 & 0xffff_ffe0L;
    long at = longMode ? va : va & 0xffff_ffffL;
    for (int level = longMode ? 4 : 3; ; level--) {
      int shift = 12 + 9 * (level - 1);
      long entry =
          entry(c.memory, table + ((at >>> shift) & (longMode || level < 3 ? 511 : 3)) * 8);
      if ((entry & PRESENT) == 0 || entry == -1L) {
        return -1L;
      }
      boolean large = (entry & LARGE) != 0 && (level == 2 || (level == 3 && longMode));
      if (level == 1 || large) {
        long mask = (1L << shift) - 1;
        return (entry & ADDRESS & PHYSICAL & ~mask) | (at & mask);
      }
      table = entry & ADDRESS & PHYSICAL;
    }
  }

  /**
   * Whether the page tables allow stores to the page of {@code va}, as far as their write bits say.
   * Changes nothing.
   */
  public static boolean isWritable(Cpu c, long cr3, long va) {
    if ((c.get64(EFER) & EFER_LMA) == 0 || (c.get64(CR0) & CR0_PG) == 0) {
      return true;
    }
    long table = cr3 & ADDRESS & PHYSICAL;
    for (int level = 4; ; level--) {
      long entry = entry(c.memory, table + ((va >>> (3 + 9 * level)) & 511) * 8);
      if ((entry & (PRESENT | WRITABLE)) != (PRESENT | WRITABLE)) {
        return false;
      }
      if (level == 1 || (entry & LARGE) != 0) {
        return true;
      }
      table = entry & ADDRESS & PHYSICAL;
    }
  }

  private static long lookup32(Cpu c, long cr3, long va) {
    long pde = entry32(c.memory, (cr3 & 0xffff_f000L) + (va >>> 22) * 4);
    if ((pde & PRESENT) == 0) {
      return -1L;
    }
    if ((pde & LARGE) != 0 && (c.get64(CR4) & CR4_PSE) != 0) {
      return large32(pde) | (va & 0x3f_ffff);
    }
    long pte = entry32(c.memory, (pde & 0xffff_f000L) + ((va >>> 12) & 1023) * 4);
    return (pte & PRESENT) == 0 ? -1L : (pte & 0xffff_f000L) | (va & 4095);
  }

  /** Levels 4 to 1 of 4-level paging, or 2 to 1 of PAE. */
  private static long walk64(Cpu c, long root, int top, long va, int access, boolean user) {
    while (true) {
      long table = root;
      long rights = WRITABLE | USER;
      long noExecute = 0;
      boolean noExecuteOn = (c.get64(EFER) & EFER_NXE) != 0;
      long reserved = ADDRESS & ~PHYSICAL;
      reserved |= noExecuteOn ? 0 : NO_EXECUTE;
      reserved |= top == 2 ? 0x7ff0_0000_0000_0000L : 0;
      for (int level = top; ; level--) {
        int shift = 12 + 9 * (level - 1);
        long at = table + ((va >>> shift) & 511) * 8;
        long entry = entry(c.memory, at);
        if ((entry & PRESENT) == 0) {
          return Access.pageFault(code(c, access, user));
        }
        boolean large = level > 1 && (entry & LARGE) != 0;
        long wrong = reserved;
        if (large) {
          wrong |= level == 4 ? LARGE : ((1L << shift) - 1) & ~0x1fffL;
        }
        if ((entry & wrong) != 0) {
          return Access.pageFault(code(c, access, user) | PF_PRESENT | PF_RESERVED);
        }
        rights &= entry;
        noExecute |= entry & NO_EXECUTE;
        boolean leaf = level == 1 || large;
        if (!leaf) {
          if ((entry & ACCESSED) == 0 && !set(c.memory, at, entry, entry | ACCESSED)) {
            break;
          }
          table = entry & ADDRESS;
          continue;
        }
        int allowed = allowed(c, rights, noExecute != 0, access, user);
        if (!isAllowed(allowed, access)) {
          return Access.pageFault(code(c, access, user) | PF_PRESENT);
        }
        long marked = entry | ACCESSED | ((access & 3) == Access.WRITE ? DIRTY : 0);
        if (marked != entry && !set(c.memory, at, entry, marked)) {
          break;
        }
        if ((marked & DIRTY) == 0) {
          allowed &= ~Access.MAY_WRITE;
        }
        long mask = (1L << shift) - 1;
        if (large) {
          c.noteLargePage(va & ~mask, va | mask);
        }
        if ((entry & GLOBAL) != 0 && c.keepsGlobalPages()) {
          allowed |= Access.GLOBAL;
        }
        return result(c, (entry & ADDRESS & ~mask) | (va & mask & -4096L), allowed);
      }
    }
  }

  private static long walk32(Cpu c, long root, long va, int access, boolean user) {
    boolean pse = (c.get64(CR4) & CR4_PSE) != 0;
    while (true) {
      long at = root + (va >>> 22) * 4;
      long pde = entry32(c.memory, at);
      if ((pde & PRESENT) == 0) {
        return Access.pageFault(code(c, access, user));
      }
      long rights = pde;
      boolean large = pse && (pde & LARGE) != 0;
      long leaf = pde;
      if (large && (pde & (1 << 21)) != 0) {
        return Access.pageFault(code(c, access, user) | PF_PRESENT | PF_RESERVED);
      }
      if (!large) {
        if ((pde & ACCESSED) == 0 && !set32(c.memory, at, pde, pde | ACCESSED)) {
          continue;
        }
        at = (pde & 0xffff_f000L) + ((va >>> 12) & 1023) * 4;
        leaf = entry32(c.memory, at);
        if ((leaf & PRESENT) == 0) {
          return Access.pageFault(code(c, access, user));
        }
        rights &= leaf;
      }
      int allowed = allowed(c, rights, false, access, user);
      if (!isAllowed(allowed, access)) {
        return Access.pageFault(code(c, access, user) | PF_PRESENT);
      }
      long marked = leaf | ACCESSED | ((access & 3) == Access.WRITE ? DIRTY : 0);
      if (marked != leaf && !set32(c.memory, at, leaf, marked)) {
        continue;
      }
      if ((marked & DIRTY) == 0) {
        allowed &= ~Access.MAY_WRITE;
      }
      if (large) {
        c.noteLargePage(va & ~0x3f_ffffL, va | 0x3f_ffffL);
      }
      long pa = large ? large32(leaf) | (va & 0x3f_f000) : leaf & 0xffff_f000L;
      return result(c, pa, allowed);
    }
  }

  /** Base of a 4 MiB page: bits 31..22, and 39..32 from bits 20..13 (PSE-36). */
  private static long large32(long pde) {
    return (pde & 0xffc0_0000L) | ((pde & 0x1f_e000) << 19);
  }

  /** What the rights of all levels allow in this mode, before the dirty bit is considered. */
  private static int allowed(Cpu c, long rights, boolean noExecute, int access, boolean user) {
    boolean writable = (rights & WRITABLE) != 0;
    boolean userPage = (rights & USER) != 0;
    int execute = noExecute ? 0 : Access.MAY_EXECUTE;
    if (user) {
      if (!userPage) {
        return 0;
      }
      return Access.MAY_READ | execute | (writable ? Access.MAY_WRITE : 0);
    }
    int allowed = Access.MAY_READ;
    if (writable || (c.get64(CR0) & CR0_WP) == 0) {
      allowed |= Access.MAY_WRITE;
    }
    if (userPage) {
      long cr4 = c.get64(CR4);
      if ((cr4 & CR4_SMEP) != 0) {
        execute = 0;
      }
      if ((cr4 & CR4_SMAP) != 0) {
        if ((access & Access.IMPLICIT) != 0 || (c.get64(RFLAGS) & Rflags.AC) == 0) {
          return execute;
        }
        c.userPageOpened = true;
      }
    }
    return allowed | execute;
  }

  private static boolean isAllowed(int allowed, int access) {
    int needed =
        switch (access & 3) {
          case Access.WRITE -> Access.MAY_WRITE;
          case Access.EXECUTE -> Access.MAY_EXECUTE;
          default -> Access.MAY_READ;
        };
    return (allowed & needed) != 0;
  }

  private static int code(Cpu c, int access, boolean user) {
    int code = user ? PF_USER : 0;
    if ((access & 3) == Access.WRITE) {
      code |= PF_WRITE;
    } else if ((access & 3) == Access.EXECUTE) {
      boolean noExecute = (c.get64(EFER) & EFER_NXE) != 0 && (c.get64(CR4) & CR4_PAE) != 0;
      if (noExecute || (c.get64(CR4) & CR4_SMEP) != 0) {
        code |= PF_FETCH;
      }
    }
    return code;
  }

  private static long result(Cpu c, long pa, int rights) {
    return pa | rights | (c.memory.contains(pa, 4096) ? 0 : Access.HOOKED);
  }

  private static long entry(MachineMemory memory, long pa) {
    return memory.contains(pa, 8) ? memory.getLong(pa) : -1L;
  }

  private static long entry32(MachineMemory memory, long pa) {
    return memory.contains(pa, 4) ? memory.getInt(pa) & 0xffff_ffffL : 0xffff_ffffL;
  }

  private static boolean set(MachineMemory memory, long pa, long expected, long value) {
    return !memory.contains(pa, 8) || memory.compareAndSetLong(pa, expected, value);
  }

  private static boolean set32(MachineMemory memory, long pa, long expected, long value) {
    return !memory.contains(pa, 4) || memory.compareAndSetInt(pa, (int) expected, (int) value);
  }
}
