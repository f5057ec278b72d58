package parhelion.abi;

import parhelion.abi.Field.Part;
import parhelion.abi.Field.U32;
import parhelion.abi.Field.U64;

/** Structures of {@link XenVersionOp} ({@code version.h}). */
public final class VersionArgs {
  private VersionArgs() {}

  /** {@code struct xen_platform_parameters}: OUT: where Xen's part of the address space starts. */
  public record XenPlatformParameters(long virtStart) {
    public static final Struct STRUCT = Struct.of("xen_platform_parameters", "version.h", 8);
    public static final U64 VIRT_START = STRUCT.u64("virt_start", 0);

    public static XenPlatformParameters read(Bytes b, long at) {
      return new XenPlatformParameters(VIRT_START.get(b, at));
    }
  }

  /**
   * {@code struct xen_feature_info}: asks for a submap of {@link XenFeature} bits. OUT: {@link
   * #SUBMAP}.
   */
  public record XenFeatureInfo(long submapIdx, long submap) {
    public static final Struct STRUCT = Struct.of("xen_feature_info", "version.h", 8);
    public static final U32 SUBMAP_IDX = STRUCT.u32("submap_idx", 0);
    public static final U32 SUBMAP = STRUCT.u32("submap", 4);

    public static XenFeatureInfo read(Bytes b, long at) {
      return new XenFeatureInfo(SUBMAP_IDX.get(b, at), SUBMAP.get(b, at));
    }
  }

  /**
   * {@code struct xen_build_id}: IN: the room in {@link #BUF}; OUT: the bytes, whose number is also
   * returned.
   */
  public record XenBuildId(long len) {
    public static final Struct STRUCT = Struct.of("xen_build_id", "version.h", 4);
    public static final U32 LEN = STRUCT.u32("len", 0);
    public static final Part BUF = STRUCT.array("buf", 4, 0, 1);

    public static XenBuildId read(Bytes b, long at) {
      return new XenBuildId(LEN.get(b, at));
    }
  }

  /**
   * {@code struct xen_varbuf}: IN: the room in {@link #BUF}; OUT: the text, whose length is also
   * returned.
   */
  public record XenVarbuf(long len) {
    public static final Struct STRUCT = Struct.of("xen_varbuf", "version.h", 4);
    public static final U32 LEN = STRUCT.u32("len", 0);
    public static final Part BUF = STRUCT.array("buf", 4, 0, 1);

    public static XenVarbuf read(Bytes b, long at) {
      return new XenVarbuf(LEN.get(b, at));
    }
  }
}
