package parhelion.xen;

/**
 * What a domain is created with.
 *
 * @param vcpus number of vcpus, 1..128
 * @param maxPages limit of its reservation, in 4 KiB frames
 * @param privileged whether it may act as dom0
 */
public record DomainConfig(int vcpus, long maxPages, boolean privileged) {
  public static final int MAX_VCPUS = 128;

  public DomainConfig {
    if (vcpus < 1 || vcpus > MAX_VCPUS) {
      throw new IllegalArgumentException("a domain has 1 to " + MAX_VCPUS + " vcpus");
    }
    if (maxPages < 1) {
      throw new IllegalArgumentException("a domain has at least one page");
    }
  }
}
