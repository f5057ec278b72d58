package parhelion.media.net.nat.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import parhelion.media.share.HostTree;

/**
 * What a machine without a disk starts, as DHCP tells it.
 *
 * @param directory what the gateway serves by TFTP; null for nothing
 * @param bootFile a file's name, or whatever the boot ROM takes for one; empty for none
 */
public record NetworkBoot(@Nullable Path directory, String bootFile) {
  /** The field of DHCP's message holds so much, with a NUL behind it. */
  private static final int MAX_NAME_BYTES = 127;

  public static final NetworkBoot NONE = new NetworkBoot(null, "");

  public NetworkBoot {
    boolean plain = bootFile.chars().allMatch(c -> c > ' ' && c < 0x7f);
    if (!plain || bootFile.getBytes(StandardCharsets.US_ASCII).length > MAX_NAME_BYTES) {
      throw new NatException(
          "boot file " + bootFile + ": give up to 127 printable characters of ASCII");
    }
    if (directory != null && !Files.isDirectory(directory)) {
      throw new NatException(
          "TFTP: " + directory + " is no directory: give one with files to boot");
    }
    if (directory != null && !HostTree.isAvailable()) {
      throw new NatException("TFTP: directories can be served on 64-bit Linux hosts only");
    }
  }
}
