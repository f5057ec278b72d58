package parhelion.xen;

import org.jspecify.annotations.Nullable;
import parhelion.cpu.CpuModel;

/**
 * What a domain is created with.
 *
 * @param vcpus number of vcpus, 1 to {@value #MAX_VCPUS}
 * @param maxPages limit of its reservation, in 4 KiB frames
 * @param privileged whether it may act as dom0
 * @param handle 16-byte UUID
 * @param cpu which processor it sees
 * @param hvm the machine that it is, if it is fully virtualised; null for a paravirtual domain
 */
public record DomainConfig(
    int vcpus,
    long maxPages,
    boolean privileged,
    byte[] handle,
    CpuModel cpu,
    @Nullable HvmMachine hvm) {
  public static final int MAX_VCPUS = 128;

  public DomainConfig {
    if (vcpus < 1 || vcpus > MAX_VCPUS) {
      throw new IllegalArgumentException("a domain has 1 to " + MAX_VCPUS + " vcpus");
    }
    if (maxPages < 1) {
      throw new IllegalArgumentException("a domain has at least one page");
    }
    if (handle.length != 16) {
      throw new IllegalArgumentException("a domain's handle has 16 bytes");
    }
  }

  /** Without a handle. */
  public DomainConfig(int vcpus, long maxPages, boolean privileged, CpuModel cpu) {
    this(vcpus, maxPages, privileged, new byte[16], cpu, null);
  }

  /** Without a handle, with the default processor. */
  public DomainConfig(int vcpus, long maxPages, boolean privileged) {
    this(vcpus, maxPages, privileged, CpuModel.DEFAULT);
  }
}
