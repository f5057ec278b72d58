package parhelion.backends.net;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a network device has done, over all of its connections. Written by the scheduler's thread,
 * but for {@link #held} and {@link #missed}; read by any, which may see a number too early.
 */
final class VifCounts {
  /** Events that the guest sent, and turns of the backend. */
  long eventsFrom;

  long eventsTo;
  long turns;

  /** From the guest. */
  long txPackets;

  long txBytes;
  long txRequests;

  /** Packets that could not be copied or made no sense. */
  long txErrors;

  /** Times that the network had no room for a packet. */
  long txHeld;

  /** To the guest. */
  long rxPackets;

  long rxBytes;
  long rxRequests;

  /** Packets that the guest cannot take, or lent no page for that can be written. */
  long rxErrors;

  /** Packets that were refused as the guest's queue was full: they wait at their sender. */
  volatile long held;

  /** Packets that came while no frontend was connected, or that it did not ask for. */
  volatile long missed;

  /** Copies from and to the guest's memory. */
  long copies;

  Map<String, Long> asMap() {
    Map<String, Long> map = new LinkedHashMap<>();
    map.put("packets sent", txPackets);
    map.put("bytes sent", txBytes);
    map.put("requests to send", txRequests);
    map.put("packets not sent for errors", txErrors);
    map.put("times held back by the network", txHeld);
    map.put("packets received", rxPackets);
    map.put("bytes received", rxBytes);
    map.put("requests to receive", rxRequests);
    map.put("packets not received for errors", rxErrors);
    map.put("packets not received as no driver asked", missed);
    map.put("times the network was held back", held);
    map.put("copies", copies);
    map.put("bytes per copy", (txBytes + rxBytes) / Math.max(1, copies));
    map.put("events from the guest", eventsFrom);
    map.put("events to the guest", eventsTo);
    map.put("turns", turns);
    long events = Math.max(1, eventsFrom + eventsTo);
    map.put("packets per 100 events", 200 * (txPackets + rxPackets) / events);
    return map;
  }
}
