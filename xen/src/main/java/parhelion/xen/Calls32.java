package parhelion.xen;

import parhelion.abi.Bytes;
import parhelion.abi.Errno;
import parhelion.abi.Hypercall;
import parhelion.abi.MemoryArgs.XenAddToPhysmap;
import parhelion.abi.MemoryArgs.XenForeignMemoryMap;
import parhelion.abi.MemoryArgs.XenMemoryMap;
import parhelion.abi.MemoryArgs.XenRemoveFromPhysmap;
import parhelion.abi.MemoryOp;
import parhelion.abi.SchedArgs.SchedPoll;
import parhelion.abi.SchedOp;
import parhelion.abi.Struct;
import parhelion.abi.VcpuOp;
import parhelion.abi.XenVersionOp;

/**
 * Hypercalls of 32-bit code of a fully virtualised domain: boot loaders. Most structures are the
 * same for it; those with frame numbers or pointers in them are put into their 64-bit form, and the
 * calls are the same from there on. What has no row here is ENOSYS for 32-bit code.
 */
public final class Calls32 {
  private Calls32() {}

  /** Runs a hypercall with the arguments as 32-bit registers have them; what EAX is to be. */
  public static int call(Vcpu v, long nr, int a1, int a2, int a3, int a4, int a5) {
    Hypercalls calls = v.domain().hypervisor().hypercalls();
    long first = a1 & 0xffff_ffffL;
    long second = a2 & 0xffff_ffffL;
    long third = a3 & 0xffff_ffffL;
    long result;
    try {
      if (nr == Hypercall.MEMORY_OP.nr()) {
        result = memoryOp(calls, v, first, second);
      } else if (nr == Hypercall.SCHED_OP.nr() && first == SchedOp.POLL.nr()) {
        result = poll(calls, v, first, second);
      } else if (nr == Hypercall.SET_TIMER_OP.nr()) {
        result = calls.call(v, nr, first | second << 32, 0, 0, 0, 0);
      } else if (isSame(nr, first)) {
        result = calls.call(v, nr, first, second, third, a4 & 0xffff_ffffL, a5 & 0xffff_ffffL);
      } else {
        result = Errno.ENOSYS.result();
      }
    } catch (XenError e) {
      result = e.result();
    }
    return (int) result;
  }

  /** Whether a call's argument is the same for both widths. */
  private static boolean isSame(long nr, long op) {
    Hypercall call = Hypercall.of(nr);
    if (call == null) {
      return false;
    }
    return switch (call) {
      case EVENT_CHANNEL_OP, HVM_OP, SCHED_OP, CONSOLE_IO, VM_ASSIST -> true;
      case VCPU_OP ->
          op != VcpuOp.GET_RUNSTATE_INFO.nr() && op != VcpuOp.REGISTER_RUNSTATE_MEMORY_AREA.nr();
      case XEN_VERSION -> op != XenVersionOp.PLATFORM_PARAMETERS.nr();
      default -> false;
    };
  }

  private static long memoryOp(Hypercalls calls, Vcpu v, long cmd, long arg) {
    GuestAccess guest = v.guest();
    MemoryOp op = MemoryOp.of(cmd);
    if (op == null) {
      return Errno.ENOSYS.result();
    }
    switch (op) {
      case ADD_TO_PHYSMAP -> {
        Bytes b = room(XenAddToPhysmap.STRUCT);
        XenAddToPhysmap.DOMID.put(b, 0, guest.getShort(arg) & 0xffff);
        XenAddToPhysmap.SIZE.put(b, 0, guest.getShort(arg + 2) & 0xffff);
        XenAddToPhysmap.SPACE.put(b, 0, guest.getInt(arg + 4));
        XenAddToPhysmap.IDX.put(b, 0, guest.getInt(arg + 8) & 0xffff_ffffL);
        XenAddToPhysmap.GPFN.put(b, 0, guest.getInt(arg + 12) & 0xffff_ffffL);
        return staged(calls, v, Hypercall.MEMORY_OP, cmd, b);
      }
      case REMOVE_FROM_PHYSMAP -> {
        Bytes b = room(XenRemoveFromPhysmap.STRUCT);
        XenRemoveFromPhysmap.DOMID.put(b, 0, guest.getShort(arg) & 0xffff);
        XenRemoveFromPhysmap.GPFN.put(b, 0, guest.getInt(arg + 4) & 0xffff_ffffL);
        return staged(calls, v, Hypercall.MEMORY_OP, cmd, b);
      }
      case MEMORY_MAP -> {
        Bytes b = room(XenMemoryMap.STRUCT);
        XenMemoryMap.NR_ENTRIES.put(b, 0, guest.getInt(arg));
        XenMemoryMap.BUFFER.put(b, 0, guest.getInt(arg + 4) & 0xffff_ffffL);
        long result = staged(calls, v, Hypercall.MEMORY_OP, cmd, b);
        guest.putInt(arg, (int) XenMemoryMap.NR_ENTRIES.get(b, 0));
        return result;
      }
      case SET_MEMORY_MAP -> {
        Bytes b = room(XenForeignMemoryMap.STRUCT);
        XenForeignMemoryMap.DOMID.put(b, 0, guest.getShort(arg) & 0xffff);
        long map = XenForeignMemoryMap.MAP.at(0);
        XenMemoryMap.NR_ENTRIES.put(b, map, guest.getInt(arg + 4));
        XenMemoryMap.BUFFER.put(b, map, guest.getInt(arg + 8) & 0xffff_ffffL);
        return staged(calls, v, Hypercall.MEMORY_OP, cmd, b);
      }
      case MAXIMUM_RAM_PAGE, CURRENT_RESERVATION, MAXIMUM_RESERVATION, MAXIMUM_GPFN -> {
        return calls.call(v, Hypercall.MEMORY_OP.nr(), cmd, arg, 0, 0, 0);
      }
      default -> {
        return Errno.ENOSYS.result();
      }
    }
  }

  private static long poll(Hypercalls calls, Vcpu v, long cmd, long arg) {
    GuestAccess guest = v.guest();
    Bytes b = room(SchedPoll.STRUCT);
    SchedPoll.PORTS.put(b, 0, guest.getInt(arg) & 0xffff_ffffL);
    SchedPoll.NR_PORTS.put(b, 0, guest.getInt(arg + 4));
    SchedPoll.TIMEOUT.put(b, 0, guest.getLong(arg + 8));
    return staged(calls, v, Hypercall.SCHED_OP, cmd, b);
  }

  private static Bytes room(Struct struct) {
    return Bytes.of(new byte[struct.size()]);
  }

  /** Makes a call whose argument is in its 64-bit form. */
  private static long staged(Hypercalls calls, Vcpu v, Hypercall call, long cmd, Bytes argument) {
    v.guest().stage(argument);
    try {
      return calls.call(v, call.nr(), cmd, GuestAccess.STAGED_VA, 0, 0, 0);
    } finally {
      v.guest().stage(null);
    }
  }
}
