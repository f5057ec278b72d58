package parhelion.xen;

/** The host's clock. */
public final class RealClock implements XenClock {
  private final long startNanos = System.nanoTime();
  private final long bootWallNanos;

  public RealClock() {
    java.time.Instant now = java.time.Instant.now();
    bootWallNanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }

  @Override
  public long systemNanos() {
    return System.nanoTime() - startNanos;
  }

  @Override
  public long bootWallNanos() {
    return bootWallNanos;
  }

  @Override
  public boolean isVirtual() {
    return false;
  }

  @Override
  public void advanceTo(long nanos) {}
}
