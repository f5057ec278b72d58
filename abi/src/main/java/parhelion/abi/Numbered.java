package parhelion.abi;

/** A row of one of Xen's rosters: a number on the wire and its name in C. */
public interface Numbered {
  /** The number that the guest passes. */
  int nr();

  /** The name in Xen's public headers, such as {@code EVTCHNOP_send}. */
  String cName();
}
