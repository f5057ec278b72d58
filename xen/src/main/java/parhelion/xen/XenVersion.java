package parhelion.xen;

/** What version of Xen's ABI we speak: that of Xen 4.17. */
public final class XenVersion {
  public static final int MAJOR = 4;
  public static final int MINOR = 17;
  public static final String EXTRA = ".0-parhelion";
  public static final String CAPABILITIES = "xen-3.0-x86_64 ";
  public static final String FULL_CAPABILITIES = "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";

  private XenVersion() {}
}
