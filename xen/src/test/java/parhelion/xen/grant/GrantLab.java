package parhelion.xen.grant;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import parhelion.abi.Bytes;
import parhelion.abi.Domid;
import parhelion.abi.Gntmap;
import parhelion.abi.GnttabArgs.GnttabCopy;
import parhelion.abi.GnttabArgs.GnttabCopyPtr;
import parhelion.abi.GnttabArgs.GnttabGetStatusFrames;
import parhelion.abi.GnttabArgs.GnttabGetVersion;
import parhelion.abi.GnttabArgs.GnttabMapGrantRef;
import parhelion.abi.GnttabArgs.GnttabQuerySize;
import parhelion.abi.GnttabArgs.GnttabSetVersion;
import parhelion.abi.GnttabArgs.GnttabSetupTable;
import parhelion.abi.GnttabArgs.GnttabSwapGrantRef;
import parhelion.abi.GnttabArgs.GnttabUnmapAndReplace;
import parhelion.abi.GnttabArgs.GnttabUnmapGrantRef;
import parhelion.abi.GnttabOp;
import parhelion.abi.Hypercall;
import parhelion.abi.MemoryArgs.XenMemoryReservation;
import parhelion.abi.MemoryOp;
import parhelion.abi.MmuExtCmd;
import parhelion.abi.Struct;
import parhelion.cpu.memory.MachineMemory;
import parhelion.xen.Domain;
import parhelion.xen.MicroMachine;

/**
 * Two guests, a that grants and b that maps, and an auditor at the end. Arguments stand in a
 * guest's page 0, lists in its page 1; its pages from 2 on are the test's.
 */
final class GrantLab implements AutoCloseable {
  static final int PAGES = 64;
  static final int TABLE_PAGES = MicroMachine.TABLES;

  private final MicroMachine machine = new MicroMachine(1024);
  final Peer a = new Peer(machine.guest(PAGES));
  final Peer b = new Peer(machine.guest(PAGES));

  Peer privileged() {
    return new Peer(machine.guest(PAGES, PAGES + 8, 1, true));
  }

  Peer another() {
    return new Peer(machine.guest(PAGES));
  }

  MicroMachine machine() {
    return machine;
  }

  MachineMemory memory() {
    return machine.memory;
  }

  void assertSound() {
    assertEquals(List.of(), machine.audit());
  }

  @Override
  public void close() {
    assertSound();
    machine.close();
  }

  /** A guest's kernel that makes grant table operations. */
  static final class Peer {
    final MicroMachine.Guest guest;
    final Domain domain;

    Peer(MicroMachine.Guest guest) {
      this.guest = guest;
      domain = guest.domain;
    }

    int id() {
      return domain.id();
    }

    Bytes bytes() {
      return guest.bytes();
    }

    long args() {
      return guest.va(0);
    }

    /** An entry of the list that a call filled in. */
    long listed(int i) {
      return guest.peek(1, i * 8);
    }

    private void clear(Struct struct) {
      for (int i = 0; i < struct.size(); i++) {
        bytes().putByte(args() + i, (byte) 0x5a);
      }
    }

    long raw(long cmd, long count) {
      return guest.call(Hypercall.GRANT_TABLE_OP, cmd, args(), count);
    }

    long op(GnttabOp op, long count) {
      return raw(op.nr(), count);
    }

    private void done(GnttabOp op) {
      assertEquals(0, op(op, 1));
    }

    // --- the table ---

    void setupArgs(int dom, long frames, long list) {
      clear(GnttabSetupTable.STRUCT);
      GnttabSetupTable.DOM.put(bytes(), args(), dom);
      GnttabSetupTable.NR_FRAMES.put(bytes(), args(), frames);
      GnttabSetupTable.FRAME_LIST.put(bytes(), args(), list);
    }

    int setupStatus() {
      return GnttabSetupTable.STATUS.get(bytes(), args());
    }

    int setupTable(int dom, long frames) {
      setupArgs(dom, frames, guest.va(1));
      done(GnttabOp.SETUP_TABLE);
      return setupStatus();
    }

    int statusFrames(int dom, long frames) {
      clear(GnttabGetStatusFrames.STRUCT);
      GnttabGetStatusFrames.DOM.put(bytes(), args(), dom);
      GnttabGetStatusFrames.NR_FRAMES.put(bytes(), args(), frames);
      GnttabGetStatusFrames.FRAME_LIST.put(bytes(), args(), guest.va(1));
      done(GnttabOp.GET_STATUS_FRAMES);
      return GnttabGetStatusFrames.STATUS.get(bytes(), args());
    }

    void querySize(int dom) {
      clear(GnttabQuerySize.STRUCT);
      GnttabQuerySize.DOM.put(bytes(), args(), dom);
      done(GnttabOp.QUERY_SIZE);
    }

    long setVersion(long version) {
      GnttabSetVersion.VERSION.put(bytes(), args(), version);
      return op(GnttabOp.SET_VERSION, 1);
    }

    /** The version, or a negative errno. */
    long getVersion(int dom) {
      clear(GnttabGetVersion.STRUCT);
      GnttabGetVersion.DOM.put(bytes(), args(), dom);
      long rc = op(GnttabOp.GET_VERSION, 1);
      return rc == 0 ? GnttabGetVersion.VERSION.get(bytes(), args()) : rc;
    }

    int swap(long refA, long refB) {
      GnttabSwapGrantRef.REF_A.put(bytes(), args(), refA);
      GnttabSwapGrantRef.REF_B.put(bytes(), args(), refB);
      done(GnttabOp.SWAP_GRANT_REF);
      return GnttabSwapGrantRef.STATUS.get(bytes(), args());
    }

    // --- entries, as the guest writes them ---

    void grant(int ref, int domid, long frame, int flags) {
      domain.grants().entries().put(ref, flags, domid, frame);
    }

    /** A version 2 entry whose second word is {@code low} and {@code high} in 16 bits each. */
    void grantPart(int ref, int domid, long frame, int flags, int low, int high) {
      grant(ref, domid, frame, flags);
      guestMemory().putInt(domain.grants().entries().pa(ref) + 4, low | high << 16);
    }

    private MachineMemory guestMemory() {
      return domain.hypervisor().memory();
    }

    int entryFlags(int ref) {
      return domain.grants().entries().flags(ref);
    }

    long entryFrame(int ref) {
      return domain.grants().entries().frame(ref);
    }

    int status(int ref) {
      return domain.grants().entries().status(ref);
    }

    // --- mappings ---

    /** Maps a grant writable in place of one of the own pages. */
    int map(int dom, long ref, int page) {
      return map(dom, ref, guest.va(page), Gntmap.HOST_MAP);
    }

    int mapReadOnly(int dom, long ref, int page) {
      return map(dom, ref, guest.va(page), Gntmap.HOST_MAP | Gntmap.READONLY);
    }

    int map(int dom, long ref, long hostAddr, long flags) {
      mapArgs(0, dom, ref, hostAddr, flags);
      done(GnttabOp.MAP_GRANT_REF);
      return mapStatus(0);
    }

    private long mapAt(int i) {
      return args() + i * (long) GnttabMapGrantRef.STRUCT.size();
    }

    void mapArgs(int i, int dom, long ref, long hostAddr, long flags) {
      GnttabMapGrantRef.HOST_ADDR.put(bytes(), mapAt(i), hostAddr);
      GnttabMapGrantRef.FLAGS.put(bytes(), mapAt(i), flags);
      GnttabMapGrantRef.REF.put(bytes(), mapAt(i), ref);
      GnttabMapGrantRef.DOM.put(bytes(), mapAt(i), dom);
      GnttabMapGrantRef.STATUS.put(bytes(), mapAt(i), 99);
    }

    int mapStatus(int i) {
      return GnttabMapGrantRef.STATUS.get(bytes(), mapAt(i));
    }

    /** What the last mapping answered. */
    long handle() {
      return handle(0);
    }

    long handle(int i) {
      return GnttabMapGrantRef.HANDLE.get(bytes(), mapAt(i));
    }

    long busAddress() {
      return GnttabMapGrantRef.DEV_BUS_ADDR.get(bytes(), args());
    }

    int unmap(int page, long handle) {
      return unmap(guest.va(page), 0, handle);
    }

    int unmap(long hostAddr, long devBusAddr, long handle) {
      unmapArgs(0, hostAddr, devBusAddr, handle);
      done(GnttabOp.UNMAP_GRANT_REF);
      return unmapStatus(0);
    }

    private long unmapAt(int i) {
      return args() + i * (long) GnttabUnmapGrantRef.STRUCT.size();
    }

    void unmapArgs(int i, long hostAddr, long devBusAddr, long handle) {
      GnttabUnmapGrantRef.HOST_ADDR.put(bytes(), unmapAt(i), hostAddr);
      GnttabUnmapGrantRef.DEV_BUS_ADDR.put(bytes(), unmapAt(i), devBusAddr);
      GnttabUnmapGrantRef.HANDLE.put(bytes(), unmapAt(i), handle);
      GnttabUnmapGrantRef.STATUS.put(bytes(), unmapAt(i), 99);
    }

    int unmapStatus(int i) {
      return GnttabUnmapGrantRef.STATUS.get(bytes(), unmapAt(i));
    }

    int unmapAndReplace(long hostAddr, long newAddr, long handle) {
      GnttabUnmapAndReplace.HOST_ADDR.put(bytes(), args(), hostAddr);
      GnttabUnmapAndReplace.NEW_ADDR.put(bytes(), args(), newAddr);
      GnttabUnmapAndReplace.HANDLE.put(bytes(), args(), handle);
      done(GnttabOp.UNMAP_AND_REPLACE);
      return GnttabUnmapAndReplace.STATUS.get(bytes(), args());
    }

    // --- copies ---

    void copyEnd(boolean source, int dom, long refOrGmfn, int offset) {
      long at = (source ? GnttabCopy.SOURCE : GnttabCopy.DEST).at(args());
      GnttabCopyPtr.GMFN.put(bytes(), at, refOrGmfn);
      GnttabCopyPtr.DOMID.put(bytes(), at, dom);
      GnttabCopyPtr.OFFSET.put(bytes(), at, offset);
    }

    int copy(int flags, int length) {
      GnttabCopy.LEN.put(bytes(), args(), length);
      GnttabCopy.FLAGS.put(bytes(), args(), flags);
      GnttabCopy.STATUS.put(bytes(), args(), 99);
      done(GnttabOp.COPY);
      return GnttabCopy.STATUS.get(bytes(), args());
    }

    // --- paging ---

    long remap(int page, long pte) {
      return guest.call(Hypercall.UPDATE_VA_MAPPING, guest.va(page), pte, 0);
    }

    long pinL1(long mfn) {
      guest.poke(0, 0, MmuExtCmd.PIN_L1_TABLE.nr());
      guest.poke(0, 8, mfn);
      guest.poke(0, 16, 0);
      return guest.call(Hypercall.MMUEXT_OP, args(), 1, 0, Domid.SELF);
    }

    void decreaseReservation(long mfn) {
      guest.poke(1, 0, mfn);
      XenMemoryReservation.EXTENT_START.put(bytes(), args(), guest.va(1));
      XenMemoryReservation.NR_EXTENTS.put(bytes(), args(), 1);
      XenMemoryReservation.EXTENT_ORDER.put(bytes(), args(), 0);
      XenMemoryReservation.MEM_FLAGS.put(bytes(), args(), 0);
      XenMemoryReservation.DOMID.put(bytes(), args(), Domid.SELF);
      long cmd = MemoryOp.DECREASE_RESERVATION.nr();
      assertEquals(1, guest.call(Hypercall.MEMORY_OP, cmd, args()));
    }
  }
}
