package parhelion.pc.virtio;

/** A driver has broken the rules of its queue; its device needs a reset. Without a stack trace. */
final class BrokenQueueException extends Exception {
  private static final long serialVersionUID = 1;

  BrokenQueueException(String what) {
    super(what, null, false, false);
  }
}
