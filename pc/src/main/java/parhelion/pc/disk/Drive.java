package parhelion.pc.disk;

/** A device on an ATA cable: what it understands, whatever controller it is plugged into. */
interface Drive {
  /** Whether it takes packets: a CD-ROM. */
  boolean isPacketDevice();

  /** Begins a command; what the command is about, and its outcome, are in {@code task}. */
  Action command(Taskfile task);

  /** Begins what a packet of 12 bytes says. */
  Action packet(byte[] packet, Taskfile task);

  /** Sets the outcome of a command whose action is over; {@code ok} is whether that worked. */
  void finished(Taskfile task, boolean ok);

  /** The host's side of its medium; asked only for actions that are about the disk. */
  DiskIo io();

  /** A reset of the bus. */
  void reset();
}
