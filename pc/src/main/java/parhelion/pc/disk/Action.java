package parhelion.pc.disk;

import java.util.function.Function;

/** What a command that a {@link Drive} has accepted asks of its controller. */
sealed interface Action {
  /** Nothing: its outcome is in the task file. */
  record Done() implements Action {}

  /** The 12 bytes of a packet, for {@link Drive#packet}. */
  record PacketWanted() implements Action {}

  /** To give these bytes to the guest. */
  record DataIn(byte[] bytes, boolean dma) implements Action {}

  /** To get so many bytes from the guest; what to do with them is asked then. */
  record DataOut(int lengthBytes, boolean dma, Function<byte[], Action> then) implements Action {}

  /**
   * To give the guest a part of the disk.
   *
   * @param blockBytes how much the guest takes at a time where it takes it by the data register
   */
  record DiskIn(long offset, long lengthBytes, int blockBytes, boolean dma) implements Action {}

  /** To write to a part of the disk what the guest gives. */
  record DiskOut(long offset, long lengthBytes, int blockBytes, boolean dma) implements Action {}

  /** To have something done to the disk that may take long. */
  record Background(DiskIo.Job job) implements Action {}

  Done DONE = new Done();
}
