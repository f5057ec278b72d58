package parhelion.toolstack.image;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;

/**
 * A shell command for the guest of {@link DefaultInitramfs} to run, and the random token by which
 * {@link ExitStatusFilter} knows the line with its exit status from what the command prints.
 *
 * @param shellText what {@code sh -c} is to run
 * @param token hexadecimal
 */
public record GuestCommand(String shellText, String token) {
  /** Xen's command line has 1024 bytes with the NUL; the user's own words need room too. */
  private static final int MAX_WORD_CHARS = 512;

  private static final int TOKEN_BYTES = 8;

  /** A command with a token of its own. */
  public static GuestCommand of(String shellText) {
    byte[] token = new byte[TOKEN_BYTES];
    new SecureRandom().nextBytes(token);
    return new GuestCommand(shellText, HexFormat.of().formatHex(token));
  }

  /** What to add to the kernel's command line. */
  public String kernelArguments() {
    String word = fitsCommandLine() ? base64() : "@";
    return "parhelion.token=" + token + " parhelion.cmd=" + word;
  }

  /** Whether the command goes onto the command line; else the initramfs must carry it. */
  boolean fitsCommandLine() {
    return base64().length() <= MAX_WORD_CHARS;
  }

  private String base64() {
    return Base64.getEncoder().encodeToString(shellText.getBytes(StandardCharsets.UTF_8));
  }
}
