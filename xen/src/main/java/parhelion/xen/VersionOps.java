package parhelion.xen;

import java.nio.charset.StandardCharsets;
import parhelion.abi.Bytes;
import parhelion.abi.Errno;
import parhelion.abi.HypervisorVirt;
import parhelion.abi.VersionArgs.XenFeatureInfo;
import parhelion.abi.VersionArgs.XenPlatformParameters;
import parhelion.abi.VmAssist;
import parhelion.abi.XenCompileInfo;
import parhelion.abi.XenFeature;
import parhelion.abi.XenLimits;
import parhelion.abi.XenVersionOp;

/** {@code xen_version}. Strings fill their whole buffer, NUL-padded. */
final class VersionOps {
  private static final String DENIED = "<denied>";

  private VersionOps() {}

  static SubOps<XenVersionOp> roster() {
    return new SubOps<>(XenVersionOp.class)
        .raw(XenVersionOp.VERSION, (v, arg) -> XenVersion.MAJOR << 16 | XenVersion.MINOR)
        .raw(
            XenVersionOp.EXTRAVERSION,
            (v, arg) -> text(v, arg, XenVersion.EXTRA, XenLimits.XEN_EXTRAVERSION_LEN))
        .raw(XenVersionOp.COMPILE_INFO, VersionOps::compileInfo)
        .raw(XenVersionOp.CAPABILITIES, VersionOps::capabilities)
        .raw(
            XenVersionOp.CHANGESET,
            (v, arg) -> text(v, arg, "unavailable", XenLimits.XEN_CHANGESET_INFO_LEN))
        .raw(XenVersionOp.PLATFORM_PARAMETERS, VersionOps::platformParameters)
        .inOut(XenVersionOp.GET_FEATURES, XenFeatureInfo::read, VersionOps::getFeatures)
        .raw(XenVersionOp.PAGESIZE, VersionOps::pageSize)
        .raw(XenVersionOp.GUEST_HANDLE, VersionOps::guestHandle)
        .raw(
            XenVersionOp.COMMANDLINE,
            (v, arg) -> text(v, arg, v.domain().isPrivileged() ? "" : DENIED, DENIED.length() + 1))
        .raw(XenVersionOp.BUILD_ID, VersionOps::buildId);
  }

  private static long text(Vcpu v, long va, String s, int length) {
    v.guest().copyOut(va, padded(s, length));
    return 0;
  }

  private static long capabilities(Vcpu v, long va) {
    boolean full = v.domain().hvm() != null;
    String names = full ? XenVersion.FULL_CAPABILITIES : XenVersion.CAPABILITIES;
    return text(v, va, names, XenLimits.XEN_CAPABILITIES_INFO_LEN);
  }

  private static byte[] padded(String s, int length) {
    byte[] bytes = new byte[length];
    byte[] text = s.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, bytes, 0, Math.min(text.length, length - 1));
    return bytes;
  }

  private static long compileInfo(Vcpu v, long va) {
    byte[] info = new byte[XenCompileInfo.STRUCT.size()];
    put(info, XenCompileInfo.COMPILER, "javac");
    put(info, XenCompileInfo.COMPILE_BY, "parhelion");
    put(info, XenCompileInfo.COMPILE_DOMAIN, "parhelion");
    put(info, XenCompileInfo.COMPILE_DATE, "");
    v.guest().copyOut(va, info);
    return 0;
  }

  private static void put(byte[] info, parhelion.abi.Field.Part part, String s) {
    System.arraycopy(padded(s, part.size()), 0, info, part.offset(), part.size());
  }

  private static long platformParameters(Vcpu v, long va) {
    long start = v.domain().hvm() == null ? HypervisorVirt.START : 0;
    XenPlatformParameters.VIRT_START.put(v.guest(), va, start);
    return 0;
  }

  private static long getFeatures(Vcpu v, XenFeatureInfo a, Bytes out) {
    if (a.submapIdx() != 0) {
      throw new XenError(Errno.EINVAL);
    }
    Domain d = v.domain();
    long map = bit(XenFeature.MEMORY_OP_VNODE_SUPPORTED);
    if ((d.vmAssist >> VmAssist.PAE_EXTENDED_CR3.nr() & 1) != 0) {
      map |= bit(XenFeature.PAE_PGDIR_ABOVE_4GB);
    }
    if (d.isPrivileged()) {
      map |= bit(XenFeature.DOM0);
    }
    if (d.hvm() != null) {
      map |= bit(XenFeature.WRITABLE_PAGE_TABLES);
      map |= bit(XenFeature.AUTO_TRANSLATED_PHYSMAP);
      map |= bit(XenFeature.HVM_CALLBACK_VECTOR);
      map |= bit(XenFeature.HVM_SAFE_PVCLOCK);
      map |= bit(XenFeature.NOT_DIRECT_MAPPED);
      XenFeatureInfo.SUBMAP.put(out, 0, map);
      return 0;
    }
    map |= bit(XenFeature.MMU_PT_UPDATE_PRESERVE_AD);
    map |= bit(XenFeature.HIGHMEM_ASSIST);
    map |= bit(XenFeature.GNTTAB_MAP_AVAIL_BITS);
    map |= bit(XenFeature.DIRECT_MAPPED);
    XenFeatureInfo.SUBMAP.put(out, 0, map);
    return 0;
  }

  private static long bit(XenFeature f) {
    return 1L << f.nr();
  }

  private static long pageSize(Vcpu v, long arg) {
    if (arg != 0) {
      throw new XenError(Errno.EINVAL);
    }
    return 4096;
  }

  private static long guestHandle(Vcpu v, long va) {
    v.guest().copyOut(va, v.domain().handle());
    return 0;
  }

  /** For dom0 only, and we have none. */
  private static long buildId(Vcpu v, long va) {
    throw new XenError(v.domain().isPrivileged() ? Errno.ENODATA : Errno.EPERM);
  }
}
