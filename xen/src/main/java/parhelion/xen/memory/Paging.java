package parhelion.xen.memory;

import parhelion.abi.Errno;
import parhelion.xen.Domain;
import parhelion.xen.Hypervisor;
import parhelion.xen.Vcpu;
import parhelion.xen.XenError;

/** Direct paging: guests own their page tables, and every change to one is validated here. */
public final class Paging {
  private final Hypervisor hypervisor;

  public Paging(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
  }

  public long mmuUpdate(Vcpu v, long reqs, long count, long done, long foreigndom, long unused) {
    throw new XenError(Errno.ENOSYS);
  }

  public long mmuextOp(Vcpu v, long ops, long count, long done, long foreigndom, long unused) {
    throw new XenError(Errno.ENOSYS);
  }

  public long updateVaMapping(Vcpu v, long va, long pte, long flags, long unused, long unused2) {
    throw new XenError(Errno.ENOSYS);
  }

  public long updateVaMappingOtherdomain(
      Vcpu v, long va, long pte, long flags, long domid, long unused) {
    throw new XenError(Errno.ENOSYS);
  }

  /**
   * A plain store of the guest's kernel to a read-only mapped L1 table of its own ({@code pa} is
   * the store's machine address; it may be part of an entry). Applies it with full validation;
   * false if it must become a #PF instead.
   */
  public boolean emulatedWrite(Vcpu v, long pa, int size, long value) {
    return false;
  }

  /**
   * Makes {@code kernelMfn} the vcpu's kernel page-table base and {@code userMfn} (0 for none) the
   * user one, with the L4 type references that hold them; EINVAL if they do not validate.
   * References to the former ones are dropped.
   */
  public void installBases(Vcpu v, long kernelMfn, long userMfn) {
    v.state.kernelCr3 = kernelMfn << 12;
    v.state.userCr3 = userMfn << 12;
  }

  /** Drops the references of {@link #installBases}. */
  public void dropBases(Vcpu v) {
    v.state.kernelCr3 = 0;
    v.state.userCr3 = 0;
  }

  /** Unpins and unvalidates all page tables of a dying domain and frees its frames. */
  public void relinquish(Domain d) {
    hypervisor.frames().freeAll(d);
  }
}
