package parhelion.media.net.nat.tftp;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A request to read (RFC 1350) with the options that are understood (RFC 2348, 2349).
 *
 * @param blockBytes what the client wants in a packet; 0 where it does not say
 * @param timeoutSeconds how long to wait for an acknowledgement; 0 where it does not say
 * @param wantsSize whether it asks for the file's length
 */
record TftpRequest(
    String fileName, String mode, int blockBytes, int timeoutSeconds, boolean wantsSize) {
  private static final int MAX_NAME_CHARS = 1024;
  private static final int MAX_WORDS = 32;
  private static final int MIN_BLOCK_BYTES = 8;
  private static final int MAX_BLOCK_BYTES = 65464;
  private static final int MAX_TIMEOUT_SECONDS = 255;

  /** Reads what follows the operation code; null if it makes no sense. */
  static @Nullable TftpRequest parse(byte[] bytes, int at, int length) {
    List<String> words = words(bytes, at, length);
    if (words.size() < 2 || words.getFirst().length() > MAX_NAME_CHARS) {
      return null;
    }
    int block = 0;
    int timeout = 0;
    boolean size = false;
    for (int i = 2; i + 1 < words.size(); i += 2) {
      int value = number(words.get(i + 1));
      switch (words.get(i).toLowerCase(Locale.ROOT)) {
        case "blksize" ->
            block = value >= MIN_BLOCK_BYTES && value <= MAX_BLOCK_BYTES ? value : block;
        case "timeout" -> timeout = value >= 1 && value <= MAX_TIMEOUT_SECONDS ? value : timeout;
        case "tsize" -> size = true;
        default -> {} // Not answered, so not in force.
      }
    }
    return new TftpRequest(
        words.get(0), words.get(1).toLowerCase(Locale.ROOT), block, timeout, size);
  }

  /** The words, each of which a NUL ends. */
  private static List<String> words(byte[] bytes, int at, int length) {
    List<String> words = new ArrayList<>();
    int start = at;
    for (int i = at; i < at + length && words.size() < MAX_WORDS; i++) {
      if (bytes[i] == 0) {
        words.add(new String(bytes, start, i - start, StandardCharsets.ISO_8859_1));
        start = i + 1;
      }
    }
    return words;
  }

  private static int number(String text) {
    return text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
  }
}
