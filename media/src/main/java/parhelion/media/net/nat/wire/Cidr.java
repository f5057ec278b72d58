package parhelion.media.net.nat.wire;

import org.jspecify.annotations.Nullable;

/** A range of addresses: those that agree with {@code base} in its first {@code bits} bits. */
public record Cidr(IpAddress base, int bits) {
  public Cidr {
    if (bits < 0 || bits > base.sizeBytes() * 8) {
      throw new IllegalArgumentException(base + "/" + bits);
    }
  }

  /** Null if the text is neither an address nor {@code ADDRESS/BITS} without bits beyond. */
  public static @Nullable Cidr parse(String text) {
    int slash = text.indexOf('/');
    IpAddress base = IpAddress.parse(slash < 0 ? text : text.substring(0, slash));
    if (base == null) {
      return null;
    }
    int all = base.sizeBytes() * 8;
    if (slash < 0) {
      return new Cidr(base, all);
    }
    String digits = text.substring(slash + 1);
    if (!digits.matches("\\d{1,3}") || Integer.parseInt(digits) > all) {
      return null;
    }
    Cidr cidr = new Cidr(base, Integer.parseInt(digits));
    return cidr.first().equals(base) ? cidr : null;
  }

  /** The lowest address of the range. */
  public IpAddress first() {
    return base.v6()
        ? IpAddress.v6(base.high() & mask(bits), base.low() & mask(bits - 64))
        : IpAddress.v4((int) (base.low() & netmask()));
  }

  public boolean contains(IpAddress address) {
    if (address.v6() != base.v6()) {
      return false;
    }
    return base.v6()
        ? ((address.high() ^ base.high()) & mask(bits)) == 0
            && ((address.low() ^ base.low()) & mask(bits - 64)) == 0
        : ((address.low() ^ base.low()) & netmask()) == 0;
  }

  /** Of an IPv4 range, in the low 32 bits. */
  public long netmask() {
    return bits == 0 ? 0 : 0xffffffffL << (32 - bits) & 0xffffffffL;
  }

  /** Of an IPv4 range: its last address. */
  public IpAddress broadcast() {
    return IpAddress.v4((int) (base.low() | ~netmask()));
  }

  /** The address with this number in the range. */
  public IpAddress host(long number) {
    IpAddress first = first();
    return new IpAddress(first.v6(), first.high(), first.low() + number);
  }

  private static long mask(int bits) {
    return bits <= 0 ? 0 : bits >= 64 ? -1 : -1L << (64 - bits);
  }

  @Override
  public String toString() {
    return base + "/" + bits;
  }
}
