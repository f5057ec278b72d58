package parhelion.backends.block;

import java.util.LinkedHashMap;
import java.util.Map;

/** What a block device has done. Written by the scheduler's thread. */
final class BlockCounts {
  long reads;
  long writes;
  long flushes;
  long discards;
  long refused;
  long readBytes;
  long writtenBytes;
  long transfers;
  long aside;
  long eventsIn;
  long eventsOut;

  /** Time of the scheduler's thread, with the transfers that it does itself. */
  long nanos;

  void count(BlockJob job) {
    transfers += job.transfers();
    switch (job.request.operation()) {
      case 0 -> {
        reads++;
        readBytes += job.request.lengthBytes();
      }
      case 1, 2 -> {
        writes++;
        writtenBytes += job.request.lengthBytes();
      }
      case 3 -> flushes++;
      default -> discards++;
    }
  }

  /** By name, for people and for JSON. */
  Map<String, Long> asMap() {
    long requests = reads + writes + flushes + discards + refused;
    Map<String, Long> map = new LinkedHashMap<>();
    map.put("requests", requests);
    map.put("reads", reads);
    map.put("writes", writes);
    map.put("flushes", flushes);
    map.put("discards", discards);
    map.put("failed", refused);
    map.put("bytes read", readBytes);
    map.put("bytes written", writtenBytes);
    map.put("transfers, none with a copy", transfers);
    map.put("bytes per transfer", (readBytes + writtenBytes) / Math.max(1, transfers));
    map.put("requests done by threads", aside);
    map.put("host us of the scheduler's thread", nanos / 1000);
    map.put("events from the guest", eventsIn);
    map.put("events to the guest", eventsOut);
    map.put("requests per 100 events", 200 * requests / Math.max(1, eventsIn + eventsOut));
    return map;
  }
}
