package parhelion.media.net.nat.tcp;

/** Sequence numbers of TCP, which wrap (RFC 9293, section 3.4). */
final class Seq {
  private Seq() {}

  static boolean before(int a, int b) {
    return a - b < 0;
  }

  static boolean beforeOrAt(int a, int b) {
    return a - b <= 0;
  }

  static int max(int a, int b) {
    return before(a, b) ? b : a;
  }
}
