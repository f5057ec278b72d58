package parhelion.abi;

/** States of {@link XenconsInterface#CONNECTION} ({@code io/console.h}). */
@XenNames(header = "io/console.h", prefix = "XENCONSOLE_")
public final class XenConsoleState {
  private XenConsoleState() {}

  public static final int CONNECTED = 0x0;
  public static final int DISCONNECTED = 0x1;
}
