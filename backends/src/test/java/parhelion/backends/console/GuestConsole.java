package parhelion.backends.console;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import parhelion.abi.XenconsInterface;
import parhelion.backends.CountingPort;
import parhelion.backends.HeapRing;

/** A guest's side of the console's ring, for tests. */
final class GuestConsole {
  final HeapRing page = new HeapRing();
  final CountingPort port = new CountingPort();

  /** Writes as much as the ring takes; returns how much that was. */
  int write(byte[] bytes, int offset) {
    int cons = page.loadAcquire(XenconsInterface.OUT_CONS.offset());
    int prod = page.loadAcquire(XenconsInterface.OUT_PROD.offset());
    int count = Math.min(bytes.length - offset, 2048 - (prod - cons));
    for (int i = 0; i < count; i++) {
      int at = XenconsInterface.OUT.offset() + ((prod + i) & 2047);
      page.write(at, bytes, offset + i, 1);
    }
    page.storeRelease(XenconsInterface.OUT_PROD.offset(), prod + count);
    return count;
  }

  int write(String text) {
    return write(text.getBytes(StandardCharsets.ISO_8859_1), 0);
  }

  /** Takes all input that is there. */
  String read() {
    int cons = page.loadAcquire(XenconsInterface.IN_CONS.offset());
    int prod = page.loadAcquire(XenconsInterface.IN_PROD.offset());
    ByteArrayOutputStream input = new ByteArrayOutputStream();
    byte[] one = new byte[1];
    for (; cons != prod; cons++) {
      page.read(XenconsInterface.IN.offset() + (cons & 1023), one, 0, 1);
      input.write(one[0]);
    }
    page.storeRelease(XenconsInterface.IN_CONS.offset(), cons);
    return input.toString(StandardCharsets.ISO_8859_1);
  }

  int unreadOutput() {
    return page.loadAcquire(XenconsInterface.OUT_PROD.offset())
        - page.loadAcquire(XenconsInterface.OUT_CONS.offset());
  }
}
