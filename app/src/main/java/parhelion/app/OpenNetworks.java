package parhelion.app;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.PacketCapture;
import parhelion.toolstack.device.DeviceConfig;

/**
 * The networks of a guest while it runs: what it is plugged into, and the capture of it. The
 * devices are the caller's to close, and first.
 */
record OpenNetworks(
    List<DeviceConfig> devices, @Nullable PacketCapture capture, @Nullable Path captureFile)
    implements AutoCloseable {
  /** Ends the capture, and says what is wrong with it. */
  @Override
  public void close() {
    if (capture == null) {
      return;
    }
    capture.close();
    IOException failure = capture.failure();
    if (failure != null) {
      System.err.println(
          "parhelion: --pcap: " + captureFile + " is not whole: " + failure.getMessage());
    } else if (capture.missed() > 0) {
      System.err.println(
          "parhelion: --pcap: %s lacks %d packets that came too fast for it"
              .formatted(captureFile, capture.missed()));
    }
  }
}
