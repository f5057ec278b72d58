package parhelion.backends;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A frame that a guest has granted. Until it is closed the frame stays what it is, even if the
 * guest takes the grant back or dies.
 *
 * <p>Everything but {@link #buffer}'s contents is for the scheduler's thread.
 */
public interface GrantedPage extends RingMemory {
  boolean isWritable();

  /**
   * A direct view of a part of the frame for input and output by any thread, with no copy between.
   * It must not be used once the page is closed. Who has put bytes into it calls {@link #written}
   * afterwards.
   *
   * @param offset in bytes from the page's start
   */
  ByteBuffer buffer(int offset, int lengthBytes);

  /**
   * Where the frame begins in the host's memory: pages that follow each other there can share one
   * transfer by {@link #run}. Says nothing to a guest.
   */
  long hostAddress();

  /**
   * A direct view of a run of pages as one buffer, all of them.
   *
   * @param pages each behind the one before in the host's memory, none of them closed
   */
  ByteBuffer run(List<? extends GrantedPage> pages);

  /** Says that a part was changed by its buffer: code of the guest that was there is forgotten. */
  void written(int offset, int lengthBytes);

  /** Unmaps the page. */
  @Override
  void close();
}
