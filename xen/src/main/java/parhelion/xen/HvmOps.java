package parhelion.xen;

import parhelion.abi.Bytes;
import parhelion.abi.Domid;
import parhelion.abi.Errno;
import parhelion.abi.HvmArgs.XenHvmEvtchnUpcallVector;
import parhelion.abi.HvmArgs.XenHvmGetTime;
import parhelion.abi.HvmArgs.XenHvmParam;
import parhelion.abi.HvmOp;
import parhelion.abi.HvmParam;

/** {@code hvm_op}: what a fully virtualised domain may ask for itself. */
final class HvmOps {
  private HvmOps() {}

  static SubOps<HvmOp> roster() {
    return new SubOps<>(HvmOp.class)
        .in(HvmOp.SET_PARAM, XenHvmParam::read, HvmOps::setParam)
        .inOut(HvmOp.GET_PARAM, XenHvmParam::read, HvmOps::getParam)
        .inOut(HvmOp.GET_TIME, XenHvmGetTime::read, HvmOps::getTime)
        .raw(HvmOp.FLUSH_TLBS, HvmOps::flushTlbs)
        .raw(HvmOp.PAGETABLE_DYING, HvmOps::ofShadowPaging)
        .in(
            HvmOp.SET_EVTCHN_UPCALL_VECTOR,
            XenHvmEvtchnUpcallVector::read,
            HvmOps::setUpcallVector);
  }

  /** The domain itself, as an argument names it; EPERM for another, ESRCH for none. */
  private static HvmDomain self(Vcpu v, XenHvmParam a) {
    if (a.index() >= HvmDomain.PARAMS) {
      throw new XenError(Errno.EINVAL);
    }
    Domain d = a.domid() == Domid.SELF ? v.domain() : v.domain().hypervisor().domain(a.domid());
    if (d == null) {
      throw new XenError(Errno.ESRCH);
    }
    if (d != v.domain()) {
      throw new XenError(Errno.EPERM);
    }
    return v.hvm();
  }

  private static long setParam(Vcpu v, XenHvmParam a) {
    HvmDomain hvm = self(v, a);
    int index = (int) a.index();
    switch (index) {
      case HvmParam.CALLBACK_IRQ -> {
        hvm.callback(a.value());
        v.domain().vcpus().stream().filter(Vcpu::upcallPending).forEach(hvm::eventsPending);
      }
      case HvmParam.VM86_TSS,
          HvmParam.VM86_TSS_SIZED,
          HvmParam.ACPI_IOPORTS_LOCATION,
          HvmParam.VM_GENERATION_ID_ADDR,
          HvmParam.STORE_EVTCHN,
          HvmParam.CONSOLE_EVTCHN,
          HvmParam.X87_FIP_WIDTH ->
          hvm.param(index, a.value());
      default -> throw new XenError(Errno.EPERM);
    }
    return 0;
  }

  private static long getParam(Vcpu v, XenHvmParam a, Bytes out) {
    HvmDomain hvm = self(v, a);
    int index = (int) a.index();
    switch (index) {
      case HvmParam.CALLBACK_IRQ,
          HvmParam.STORE_PFN,
          HvmParam.STORE_EVTCHN,
          HvmParam.CONSOLE_PFN,
          HvmParam.CONSOLE_EVTCHN,
          HvmParam.VM86_TSS,
          HvmParam.VM86_TSS_SIZED,
          HvmParam.ACPI_IOPORTS_LOCATION,
          HvmParam.VM_GENERATION_ID_ADDR,
          HvmParam.X87_FIP_WIDTH ->
          XenHvmParam.VALUE.put(out, 0, hvm.param(index));
      default -> throw new XenError(Errno.EPERM);
    }
    return 0;
  }

  private static long getTime(Vcpu v, XenHvmGetTime a, Bytes out) {
    XenHvmGetTime.NOW.put(out, 0, v.domain().hypervisor().clock().systemNanos());
    return 0;
  }

  /** Of all vcpus of the domain: the argument, a set of them, has to be null as for Xen. */
  private static long flushTlbs(Vcpu v, long arg) {
    if (arg != 0) {
      throw new XenError(Errno.EINVAL);
    }
    v.domain().vcpus().forEach(each -> each.cpu().flushTlbs());
    return 0;
  }

  /** The domain's page tables are walked as they are. */
  private static long ofShadowPaging(Vcpu v, long arg) {
    throw new XenError(Errno.EINVAL);
  }

  private static long setUpcallVector(Vcpu v, XenHvmEvtchnUpcallVector a) {
    Vcpu target = v.domain().vcpu(a.vcpu());
    if (target == null) {
      throw new XenError(Errno.ENOENT);
    }
    if (!v.hvm().upcallVector(target.id(), a.vector())) {
      throw new XenError(Errno.EINVAL);
    }
    if (target.upcallPending()) {
      v.hvm().eventsPending(target);
    }
    return 0;
  }
}
