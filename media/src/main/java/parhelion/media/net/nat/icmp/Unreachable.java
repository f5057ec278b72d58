package parhelion.media.net.nat.icmp;

/** Why a destination cannot be reached: the codes of ICMP and of ICMPv6. */
public enum Unreachable {
  NETWORK(0, 0),
  HOST(1, 3),
  PORT(3, 4),
  PROHIBITED(13, 1);

  final int v4Code;
  final int v6Code;

  Unreachable(int v4Code, int v6Code) {
    this.v4Code = v4Code;
    this.v6Code = v6Code;
  }
}
