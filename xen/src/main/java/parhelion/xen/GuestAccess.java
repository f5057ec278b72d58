package parhelion.xen;

import org.jspecify.annotations.Nullable;
import parhelion.abi.Bytes;
import parhelion.abi.Errno;
import parhelion.abi.HypervisorVirt;
import parhelion.abi.Struct;
import parhelion.cpu.Access;
import parhelion.cpu.Cpu;
import parhelion.cpu.CpuState;
import parhelion.cpu.PageWalker;
import parhelion.cpu.memory.MachineMemory;

/**
 * Guest-virtual memory of one vcpu in guest-kernel mode, as hypercalls read and write it: through
 * the guest's page tables with all of their permissions, never the hypervisor's own range, never a
 * page table (those are mapped read-only). An offset is a virtual address; whatever is wrong with
 * it is {@code EFAULT}.
 *
 * <p>Arguments are copied once, by value: {@link #copyIn} then {@code Record.read}, so that another
 * vcpu cannot change them between check and use.
 */
public final class GuestAccess implements Bytes {
  /** Where an argument lies that is not in guest memory: see {@link #stage}. */
  static final long STAGED_VA = (1L << 47) - 0x1_0000;

  private static final int STAGED_BYTES = 4096;

  private final Vcpu vcpu;
  private final MachineMemory memory;
  private @Nullable Bytes staged;

  GuestAccess(Vcpu vcpu) {
    this.vcpu = vcpu;
    memory = vcpu.domain().hypervisor().memory();
  }

  /**
   * EFAULT unless {@code [va, va + length)} stays clear of the hypervisor's range and of
   * non-canonical addresses.
   */
  public static void checkRange(long va, long length) {
    boolean low = va >= 0 && length >= 0 && va <= (1L << 47) - length;
    boolean high = va < 0 && va >= HypervisorVirt.END && length >= 0 && length <= -va;
    if (!low && !high) {
      throw new XenError(Errno.EFAULT);
    }
  }

  /** Copies {@code length} bytes in; EFAULT. */
  public byte[] copyIn(long va, int length) {
    byte[] bytes = new byte[length];
    get(va, bytes, 0, length);
    return bytes;
  }

  /**
   * Copies a structure in, whole: {@code EvtchnSend.read(v.guest().in(va, EvtchnSend.STRUCT), 0)}.
   */
  public Bytes in(long va, Struct struct) {
    return Bytes.of(copyIn(va, struct.size()));
  }

  public void copyOut(long va, byte[] bytes) {
    put(va, bytes, 0, bytes.length);
  }

  /**
   * Has {@link #STAGED_VA} be an argument in the hypervisor's own memory, while a call is made
   * whose argument the guest has in another form; null ends that. 32-bit code cannot name the
   * address.
   */
  void stage(@Nullable Bytes argument) {
    staged = argument;
  }

  /** What is staged at an address; null for guest memory. */
  private @Nullable Bytes stagedAt(long va) {
    Bytes argument = staged;
    return argument != null && va >= STAGED_VA && va < STAGED_VA + STAGED_BYTES ? argument : null;
  }

  /** Machine address of {@code va} for an access of that kind; EFAULT. */
  private long machineAddress(long va, int access) {
    Cpu cpu = vcpu.cpu();
    long cached = cpu.inTlb(XenMonitor.KERNEL_TLB, va, access);
    if (cached >= 0) {
      return cached;
    }
    HvmDomain hvm = vcpu.domain().hvm();
    if (hvm != null) {
      return translated(cpu, hvm, va, access);
    }
    long translation = vcpu.monitor().translatePlain(cpu, va, access);
    if (translation < 0 || (translation & Access.HOOKED) != 0) {
      throw new XenError(Errno.EFAULT);
    }
    return (translation & -4096L) | (va & 4095);
  }

  /** The same where physical addresses are translated: by the guest's tables, as a supervisor. */
  private static long translated(Cpu cpu, HvmDomain hvm, long va, int access) {
    long result = PageWalker.find(cpu, cpu.get64(CpuState.CR3), va, access, false);
    long mfn = result < 0 ? -1 : hvm.mfnOf(result >>> 12);
    if (mfn < 0) {
      throw new XenError(Errno.EFAULT);
    }
    return mfn << 12 | va & 4095;
  }

  @Override
  public void get(long va, byte[] target, int at, int length) {
    checkRange(va, length);
    Bytes argument = stagedAt(va);
    if (argument != null) {
      argument.get(va - STAGED_VA, target, at, length);
      return;
    }
    for (int done = 0; done < length; ) {
      int part = (int) Math.min(length - done, 4096 - ((va + done) & 4095));
      memory.read(machineAddress(va + done, Access.READ), target, at + done, part);
      done += part;
    }
  }

  @Override
  public void put(long va, byte[] source, int at, int length) {
    checkRange(va, length);
    Bytes argument = stagedAt(va);
    if (argument != null) {
      argument.put(va - STAGED_VA, source, at, length);
      return;
    }
    for (int done = 0; done < length; ) {
      int part = (int) Math.min(length - done, 4096 - ((va + done) & 4095));
      memory.write(machineAddress(va + done, Access.WRITE), source, at + done, part);
      done += part;
    }
  }

  private long load(long va, int size) {
    checkRange(va, size);
    if (stagedAt(va) == null && (va & 4095) <= 4096 - size) {
      long pa = machineAddress(va, Access.READ);
      return switch (size) {
        case 1 -> memory.getByte(pa);
        case 2 -> memory.getShort(pa);
        case 4 -> memory.getInt(pa);
        default -> memory.getLong(pa);
      };
    }
    byte[] bytes = new byte[8];
    get(va, bytes, 0, size);
    return Bytes.of(bytes).getLong(0);
  }

  private void store(long va, int size, long value) {
    checkRange(va, size);
    if (stagedAt(va) == null && (va & 4095) <= 4096 - size) {
      long pa = machineAddress(va, Access.WRITE);
      switch (size) {
        case 1 -> memory.putByte(pa, (byte) value);
        case 2 -> memory.putShort(pa, (short) value);
        case 4 -> memory.putInt(pa, (int) value);
        default -> memory.putLong(pa, value);
      }
      return;
    }
    byte[] bytes = new byte[8];
    Bytes.of(bytes).putLong(0, value);
    put(va, bytes, 0, size);
  }

  @Override
  public byte getByte(long va) {
    return (byte) load(va, 1);
  }

  @Override
  public short getShort(long va) {
    return (short) load(va, 2);
  }

  @Override
  public int getInt(long va) {
    return (int) load(va, 4);
  }

  @Override
  public long getLong(long va) {
    return load(va, 8);
  }

  @Override
  public void putByte(long va, byte value) {
    store(va, 1, value);
  }

  @Override
  public void putShort(long va, short value) {
    store(va, 2, value);
  }

  @Override
  public void putInt(long va, int value) {
    store(va, 4, value);
  }

  @Override
  public void putLong(long va, long value) {
    store(va, 8, value);
  }
}
